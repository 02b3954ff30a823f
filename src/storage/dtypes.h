// The names that safetensors gives to scalar types.
#pragma once

#include <optional>
#include <string_view>

#include "tensor/tensor.h"

namespace rondo {

/// "F32", ...; "" for a type that the format does not have (complex).
constexpr std::string_view dtype_name(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "F32";
    case DType::kFloat64:
      return "F64";
    case DType::kInt32:
      return "I32";
    case DType::kUint8:
      return "U8";
    case DType::kInt8:
      return "I8";
    case DType::kComplex128:
      return "";
  }
  return "";
}

/// The type of this name, or nothing if Rondo has no such type (F16, BF16, I64, ...).
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (DType type : {DType::kFloat32, DType::kFloat64, DType::kInt32, DType::kUint8, DType::kInt8}) {
    if (name == dtype_name(type)) return type;
  }
  return std::nullopt;
}

}  // namespace rondo
