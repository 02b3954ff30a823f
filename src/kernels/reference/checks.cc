#include "kernels/reference/checks.h"

#include "base/errors.h"

namespace rondo::reference {
namespace {

const char* type_name(DType type) {
  switch (type) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat64:
      return "float64";
    case DType::kComplex128:
      return "complex128";
    case DType::kInt32:
      return "int32";
    case DType::kUint8:
      return "uint8";
    case DType::kInt8:
      return "int8";
  }
  return "?";
}

}  // namespace

void Checks::shape(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns) const {
  shape(name, m, rows, columns, type_);
}

void Checks::shape(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns, DType type) const {
  if (!m && m.size() == 0 && rows * columns == 0) return;
  if (!m) {
    throw_error<ShapeError>("{}: {} must be [{}, {}] {}, got none", kernel_, name, rows, columns,
                            type_name(type));
  }
  if (m.rows != rows || m.columns != columns || m.type != type) {
    throw_error<ShapeError>("{}: {} must be [{}, {}] {}, got [{}, {}] {}", kernel_, name, rows, columns,
                            type_name(type), m.rows, m.columns, type_name(m.type));
  }
  if (m.rows > 1 && m.stride < m.columns) {
    throw_error<ShapeError>("{}: {} has {} columns, but its rows stand {} apart", kernel_, name, m.columns,
                            m.stride);
  }
}

void Checks::optional(const char* name, const ConstMatrix& m, int64_t rows, int64_t columns) const {
  if (m) shape(name, m, rows, columns);
}

void Checks::packed(const PackedRows& rows) const {
  int64_t alive = rows.sequences;
  if (!rows.offsets.empty() && rows.offsets[0] != 0) {
    throw_error<ShapeError>("{}: packed rows must begin at 0, got {}", kernel_, rows.offsets[0]);
  }
  for (int64_t t = 0; t < rows.steps(); ++t) {
    if (rows.count(t) < 0 || rows.count(t) > alive) {
      throw_error<ShapeError>("{}: step {} must have 0 to {} rows, got {}", kernel_, t, alive, rows.count(t));
    }
    alive = rows.count(t);
  }
}

void Checks::ids(const char* name, std::span<const int32_t> ids, int64_t count, int64_t bound) const {
  if (static_cast<int64_t>(ids.size()) != count) {
    throw_error<ShapeError>("{}: {} must be {} numbers, got {}", kernel_, name, count, ids.size());
  }
  for (size_t r = 0; r < ids.size(); ++r) {
    if (ids[r] < 0 || ids[r] >= bound) {
      throw_error<ShapeError>("{}: {}[{}] must be 0 to {}, got {}", kernel_, name, r, bound - 1, ids[r]);
    }
  }
}

}  // namespace rondo::reference
