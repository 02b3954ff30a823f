// A length of training: "10e" epochs or "5000u" updates (Marian's units), as --after takes it.
//   Duration length = Duration::parse("10e");  length.updates(7500) == 75000
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rondo {

struct Duration {
  enum class Unit { kEpochs, kUpdates };
  int64_t count = 0;
  Unit unit = Unit::kEpochs;

  /// "10e", "5000u"; a bare number counts epochs. `name` is the option that messages speak of.
  /// @throws ConfigError for anything else, zero and negative numbers included.
  static Duration parse(std::string_view text, std::string_view name = "after");
  std::string text() const;
  /// In updates, where an epoch has `updates_per_epoch` (1 at least); the largest int64 if it is more.
  int64_t updates(int64_t updates_per_epoch) const;

  bool operator==(const Duration&) const = default;
};

}  // namespace rondo
