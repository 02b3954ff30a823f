// The precision that a case names: f32, bf16, int8.
#pragma once

#include <stdexcept>
#include <string>

#include "kernels/array.h"

namespace rondo::bench {

/// @throws std::runtime_error for another name.
inline Precision precision_of(const std::string& name) {
  if (name == "f32") return Precision::kFloat32;
  if (name == "bf16") return Precision::kBfloat16;
  if (name == "int8") return Precision::kInt8;
  throw std::runtime_error("no precision " + name);
}

}  // namespace rondo::bench
