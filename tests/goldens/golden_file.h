// Arrays that tools/make_goldens.py stored: what PyTorch computed.
#pragma once

#include <string>

#include "storage/safetensors.h"

namespace rondo {

inline TensorFile read_golden(const std::string& name) {
  return read_tensor_file(std::string(RONDO_TESTS_DIR) + "/goldens/" + name + ".safetensors");
}

inline std::vector<int64_t> golden_lengths(const TensorFile& golden) {
  const auto lengths = golden.find("lengths").values<int32_t>();
  return {lengths.begin(), lengths.end()};
}

}  // namespace rondo
