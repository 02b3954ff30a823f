// Dense row-major numbers with a shape. Copying shares the numbers; clone() copies them.
//   Tensor w({3, 4});  w.fill(0);  w.data<float>()[5] = 1;  Matrix view = w.matrix();
// It is no array library: kernels work on its Matrix view.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/array.h"

namespace rondo {

/// Sizes of the dimensions, outermost first. An empty shape holds nothing.
using Shape = std::vector<int64_t>;

int64_t num_elements(const Shape& shape);
/// "[3, 4]".
std::string to_string(const Shape& shape);

class Tensor {
 public:
  Tensor() = default;
  /// Uninitialised numbers. Memory is taken from and given back to a pool: a training step allocates nothing
  /// new.
  explicit Tensor(Shape shape, DType type = DType::kFloat32);
  static Tensor zeros(Shape shape, DType type = DType::kFloat32);
  /// One dimension, from values.
  static Tensor from(std::span<const float> values);

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int64_t dim(size_t i) const { return shape_.at(i); }
  int64_t size() const { return num_elements(shape_); }
  int64_t bytes() const { return size() * size_of(type_); }
  DType type() const { return type_; }

  template <class T>
  T* data() const {
    assert(type_ == kTypeOf<T>);
    return static_cast<T*>(raw());
  }
  template <class T>
  std::span<T> values() const {
    return {data<T>(), static_cast<size_t>(size())};
  }
  void* raw() const { return storage_.get(); }

  /// Rows by columns: [n] is one row, [a, b] is itself, [a, b, c] has a*b rows. An empty tensor gives an
  /// empty view.
  Matrix matrix() const;
  /// The same numbers under another shape of the same size. @throws ShapeError if the sizes differ.
  Tensor reshape(Shape shape) const;
  Tensor clone() const;
  /// A copy as another floating type (float32, float64, complex128 of zero imaginary part; complex to real
  /// drops it).
  Tensor to(DType type) const;
  void fill(double value) const;
  /// Element as a double (the real part of a complex one); for tests, reports and checks, not for loops.
  double at(int64_t index) const;

 private:
  Shape shape_;
  DType type_ = DType::kFloat32;
  std::shared_ptr<void> storage_;
};

}  // namespace rondo
