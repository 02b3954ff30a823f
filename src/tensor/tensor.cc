#include "tensor/tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/errors.h"
#include "tensor/memory_pool.h"

namespace rondo {

int64_t num_elements(const Shape& shape) {
  if (shape.empty()) return 0;
  int64_t total = 1;
  for (int64_t size : shape) {
    if (size < 0 || (size > 0 && total > std::numeric_limits<int64_t>::max() / 16 / size)) {
      throw_error<ShapeError>("tensor: shape {} is impossible", to_string(shape));
    }
    total *= size;
  }
  return total;
}

std::string to_string(const Shape& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Tensor::Tensor(Shape shape, DType type) : shape_(std::move(shape)), type_(type) {
  storage_ = MemoryPool::instance().take(bytes());
}

Tensor Tensor::zeros(Shape shape, DType type) {
  Tensor result(std::move(shape), type);
  std::memset(result.raw(), 0, result.bytes());
  return result;
}

Tensor Tensor::from(std::span<const float> values) {
  Tensor result({static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), result.data<float>());
  return result;
}

Matrix Tensor::matrix() const {
  if (!storage_) return {};
  const int64_t columns = shape_.back();
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < shape_.size(); ++i) rows *= shape_[i];
  return {raw(), type_, rows, columns, columns};
}

Tensor Tensor::reshape(Shape shape) const {
  if (num_elements(shape) != size()) {
    throw_error<ShapeError>("reshape: {} has {} elements, {} would have {}", to_string(shape_), size(),
                            to_string(shape), num_elements(shape));
  }
  Tensor result = *this;
  result.shape_ = std::move(shape);
  return result;
}

Tensor Tensor::clone() const {
  if (!storage_) return {};
  Tensor result(shape_, type_);
  std::memcpy(result.raw(), raw(), bytes());
  return result;
}

namespace {

template <class From, class To>
void convert(const Tensor& from, const Tensor& to) {
  const From* source = from.data<From>();
  To* target = to.data<To>();
  for (int64_t i = 0; i < from.size(); ++i) {
    if constexpr (std::is_same_v<From, std::complex<double>> && !std::is_same_v<To, std::complex<double>>) {
      target[i] = static_cast<To>(source[i].real());
    } else {
      target[i] = static_cast<To>(source[i]);
    }
  }
}

template <class From>
void convert_from(const Tensor& from, const Tensor& to) {
  switch (to.type()) {
    case DType::kFloat32:
      return convert<From, float>(from, to);
    case DType::kFloat64:
      return convert<From, double>(from, to);
    case DType::kComplex128:
      return convert<From, std::complex<double>>(from, to);
    default:
      throw_error<ShapeError>("tensor: only floating types convert into each other");
  }
}

}  // namespace

Tensor Tensor::to(DType type) const {
  if (type == type_ || !storage_) return clone();
  Tensor result(shape_, type);
  switch (type_) {
    case DType::kFloat32:
      convert_from<float>(*this, result);
      break;
    case DType::kFloat64:
      convert_from<double>(*this, result);
      break;
    case DType::kComplex128:
      convert_from<std::complex<double>>(*this, result);
      break;
    default:
      throw_error<ShapeError>("tensor: only floating types convert into each other");
  }
  return result;
}

void Tensor::fill(double value) const {
  switch (type_) {
    case DType::kFloat32:
      std::fill_n(data<float>(), size(), static_cast<float>(value));
      break;
    case DType::kFloat64:
      std::fill_n(data<double>(), size(), value);
      break;
    case DType::kComplex128:
      std::fill_n(data<std::complex<double>>(), size(), value);
      break;
    case DType::kInt32:
      std::fill_n(data<int32_t>(), size(), static_cast<int32_t>(value));
      break;
    case DType::kUint8:
      std::fill_n(data<uint8_t>(), size(), static_cast<uint8_t>(value));
      break;
    case DType::kInt8:
      std::fill_n(data<int8_t>(), size(), static_cast<int8_t>(value));
      break;
  }
}

double Tensor::at(int64_t index) const {
  if (index < 0 || index >= size()) {
    throw_error<ShapeError>("tensor: element {} of {}", index, to_string(shape_));
  }
  switch (type_) {
    case DType::kFloat32:
      return data<float>()[index];
    case DType::kFloat64:
      return data<double>()[index];
    case DType::kComplex128:
      return data<std::complex<double>>()[index].real();
    case DType::kInt32:
      return data<int32_t>()[index];
    case DType::kUint8:
      return data<uint8_t>()[index];
    case DType::kInt8:
      return data<int8_t>()[index];
  }
  return 0;
}

}  // namespace rondo
