// Typed matrices inside the reference kernels, and the way from DType to a type.
//   with_scalar("scale", y.type, [&]<class T>(T) { const View<T> v = view<T>(y); v(0, 0) *= T(2); });
#pragma once

#include <utility>
#include <vector>

#include "base/errors.h"
#include "kernels/array.h"
#include "kernels/reference/scalar.h"

namespace rondo::reference {

/// A row-major matrix of T; false where the operand was not given.
template <class T>
struct View {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  explicit operator bool() const { return data != nullptr; }
  T* row(int64_t r) const { return data + r * stride; }
  T& operator()(int64_t r, int64_t c) const { return data[r * stride + c]; }
};

template <class T>
View<T> view(const Matrix& m) {
  return {static_cast<T*>(m.data), m.rows, m.columns, m.stride};
}
template <class T>
View<const T> view(const ConstMatrix& m) {
  return {static_cast<const T*>(m.data), m.rows, m.columns, m.stride};
}

/// A matrix of zeros that a kernel needs on the way.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(int64_t rows, int64_t columns)
      : values_(rows * columns + 1), rows_(rows), columns_(columns) {}  // + 1: an address even if empty

  T* row(int64_t r) { return values_.data() + r * columns_; }
  const T* row(int64_t r) const { return values_.data() + r * columns_; }
  T& operator()(int64_t r, int64_t c) { return row(r)[c]; }
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  Matrix matrix() { return {values_.data(), kTypeOf<T>, rows_, columns_, columns_}; }
  ConstMatrix matrix() const { return {values_.data(), kTypeOf<T>, rows_, columns_, columns_}; }

 private:
  std::vector<T> values_;
  int64_t rows_ = 0;
  int64_t columns_ = 0;
};

/// Calls body(T()) for the T that computes in `type`. @throws ShapeError for int32 and uint8.
template <class Body>
void with_scalar(const char* kernel, DType type, Body&& body) {
  switch (type) {
    case DType::kFloat32:
      return body(float());
    case DType::kFloat64:
      return body(double());
    case DType::kComplex128:
      return body(Complex());
    case DType::kInt32:
    case DType::kUint8:
    case DType::kInt8:
      break;
  }
  throw_error<ShapeError>("{}: computes in float32, float64 or complex128, got whole numbers", kernel);
}

/// The same, with int32 and uint8.
template <class Body>
void with_any_type(const char* kernel, DType type, Body&& body) {
  if (type == DType::kInt32) return body(int32_t());
  if (type == DType::kUint8) return body(uint8_t());
  with_scalar(kernel, type, std::forward<Body>(body));
}

}  // namespace rondo::reference
