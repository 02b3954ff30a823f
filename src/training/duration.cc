#include "training/duration.h"

#include <charconv>
#include <limits>

#include "base/errors.h"

namespace rondo {

Duration Duration::parse(std::string_view text, std::string_view name) {
  Duration result;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, result.count);
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  const bool known = unit.empty() || unit == "e" || unit == "u";
  if (error != std::errc() || !known || result.count < 1) {
    throw_error<ConfigError>(
        "--{} must be a number of epochs such as 10e or of updates such as 5000u, got \"{}\"", name, text);
  }
  if (unit == "u") result.unit = Unit::kUpdates;
  return result;
}

std::string Duration::text() const { return fmt::format("{}{}", count, unit == Unit::kEpochs ? "e" : "u"); }

int64_t Duration::updates(int64_t updates_per_epoch) const {
  if (unit == Unit::kUpdates) return count;
  if (updates_per_epoch > 0 && count > std::numeric_limits<int64_t>::max() / updates_per_epoch) {
    return std::numeric_limits<int64_t>::max();
  }
  return count * updates_per_epoch;
}

}  // namespace rondo
