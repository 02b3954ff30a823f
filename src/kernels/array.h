// Plain views of scalars in memory: what a kernel reads and writes. They own nothing.
//   Matrix y{data, DType::kFloat32, /*rows=*/3, /*columns=*/4, /*stride=*/4};  float* second =
//   y.row<float>(1);
#pragma once

#include <cassert>
#include <complex>
#include <cstdint>

namespace rondo {

/// Scalars that a tensor may hold. float32 computes; float64 and complex128 exist for exact gradient checks
/// on the reference backend; int32 holds ids, uint8 holds bytes, int8 holds quantized weights in a file.
enum class DType : uint8_t { kFloat32, kFloat64, kComplex128, kInt32, kUint8, kInt8 };

template <class T>
inline constexpr DType kTypeOf = DType::kFloat32;
template <>
inline constexpr DType kTypeOf<double> = DType::kFloat64;
template <>
inline constexpr DType kTypeOf<std::complex<double>> = DType::kComplex128;
template <>
inline constexpr DType kTypeOf<int32_t> = DType::kInt32;
template <>
inline constexpr DType kTypeOf<uint8_t> = DType::kUint8;
template <>
inline constexpr DType kTypeOf<int8_t> = DType::kInt8;

/// How a product multiplies float32 operands. Sums, cell states and everything that is not a product stay
/// float32.
///   kBfloat16  both operands rounded to bfloat16 (nearest, ties to even); sums of float32.
///   kInt8      inference: each row of the weights as whole numbers -127..127 times its largest value / 127,
///              the other operand likewise by rows (a bounded state: times 1/127); sums exact.
enum class Precision : uint8_t { kFloat32, kBfloat16, kInt8 };

constexpr int64_t size_of(DType type) {
  switch (type) {
    case DType::kFloat32:
      return 4;
    case DType::kFloat64:
      return 8;
    case DType::kComplex128:
      return 16;
    case DType::kInt32:
      return 4;
    case DType::kUint8:
    case DType::kInt8:
      return 1;
  }
  return 0;
}

/// A row-major matrix that a kernel may write: element (r, c) stands at data[r*stride + c].
/// A vector is a matrix of one row. Empty (no data) means "not given".
struct Matrix {
  void* data = nullptr;
  DType type = DType::kFloat32;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  explicit operator bool() const { return data != nullptr; }
  int64_t size() const { return rows * columns; }

  template <class T>
  T* row(int64_t r) const {
    assert(type == kTypeOf<T>);
    return static_cast<T*>(data) + r * stride;
  }
  /// Columns first .. first+count-1 of the same rows.
  Matrix columns_at(int64_t first, int64_t count) const {
    return {static_cast<char*>(data) + first * size_of(type), type, rows, count, stride};
  }
  /// Rows first .. first+count-1.
  Matrix rows_at(int64_t first, int64_t count) const {
    return {static_cast<char*>(data) + first * stride * size_of(type), type, count, columns, stride};
  }
};

/// The same, to read only.
struct ConstMatrix {
  const void* data = nullptr;
  DType type = DType::kFloat32;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  ConstMatrix() = default;
  ConstMatrix(const void* data_, DType type_, int64_t rows_, int64_t columns_, int64_t stride_)
      : data(data_), type(type_), rows(rows_), columns(columns_), stride(stride_) {}
  ConstMatrix(const Matrix& m)  // NOLINT: a view to write is also one to read
      : data(m.data), type(m.type), rows(m.rows), columns(m.columns), stride(m.stride) {}

  explicit operator bool() const { return data != nullptr; }
  int64_t size() const { return rows * columns; }

  template <class T>
  const T* row(int64_t r) const {
    assert(type == kTypeOf<T>);
    return static_cast<const T*>(data) + r * stride;
  }
  ConstMatrix columns_at(int64_t first, int64_t count) const {
    return {static_cast<const char*>(data) + first * size_of(type), type, rows, count, stride};
  }
  ConstMatrix rows_at(int64_t first, int64_t count) const {
    return {static_cast<const char*>(data) + first * stride * size_of(type), type, count, columns, stride};
  }
};

}  // namespace rondo
