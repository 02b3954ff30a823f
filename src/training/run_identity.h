// What must be equal for a run to be resumed: the options that change its result, and a fingerprint of its
// data.
//   Fingerprint data;  data.add(ids);  data.add(vocabulary.tokens());  data.add(network.parameters());
//   nlohmann::json identity = run_identity(task, data, backend);
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "kernels/backend.h"
#include "tensor/parameter.h"

namespace rondo {

/// FNV-1a: other numbers, names or initial weights give another value.
class Fingerprint {
 public:
  void add(std::span<const int32_t> numbers);
  void add(std::span<const int64_t> numbers);
  void add(std::span<const uint8_t> bytes);
  void add(const std::vector<std::string>& names);
  void add(const ParameterSet& parameters);
  uint64_t value() const { return hash_; }

 private:
  void mix(uint64_t value) { hash_ = (hash_ ^ value) * 1099511628211U; }

  uint64_t hash_ = 1469598103934665603U;
};

/// The options without those that change no result (names of files whose contents the fingerprint knows, when
/// to write), with the fingerprint and the backend.
nlohmann::json run_identity(nlohmann::json options, const Fingerprint& data, const Backend& backend);

}  // namespace rondo
