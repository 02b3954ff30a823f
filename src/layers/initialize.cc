#include "layers/initialize.h"

#include <cmath>
#include <vector>

#include "base/errors.h"

namespace rondo {

void initialize_uniform(const Tensor& tensor, double low, double high, const Stream& stream) {
  float* values = tensor.data<float>();
  for (int64_t i = 0; i < tensor.size(); ++i) {
    values[i] = static_cast<float>(low + (high - low) * stream.uniform(i));
  }
}

void initialize_normal(const Tensor& tensor, double mean, double deviation, const Stream& stream) {
  float* values = tensor.data<float>();
  for (int64_t i = 0; i < tensor.size(); ++i) {
    values[i] = static_cast<float>(mean + deviation * stream.normal(i));
  }
}

void initialize_glorot(const Tensor& tensor, int64_t fan_in, int64_t fan_out, const Stream& stream) {
  const double limit = std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
  initialize_uniform(tensor, -limit, limit, stream);
}

void initialize_orthogonal(const Tensor& tensor, const Stream& stream) {
  const int64_t rows = tensor.dim(0);
  const int64_t columns = tensor.dim(1);
  if (rows < columns)
    throw_error<ShapeError>("orthogonal: {} has more columns than rows", to_string(tensor.shape()));
  std::vector<std::vector<double>> basis(columns, std::vector<double>(rows));
  for (int64_t c = 0; c < columns; ++c) {
    std::vector<double>& vector = basis[c];
    for (int64_t r = 0; r < rows; ++r) vector[r] = stream.normal(c * rows + r);
    // Twice: one pass of Gram-Schmidt leaves errors of the size of the condition number.
    for (int pass = 0; pass < 2; ++pass) {
      for (int64_t other = 0; other < c; ++other) {
        double dot = 0;
        for (int64_t r = 0; r < rows; ++r) dot += vector[r] * basis[other][r];
        for (int64_t r = 0; r < rows; ++r) vector[r] -= dot * basis[other][r];
      }
    }
    double norm = 0;
    for (double value : vector) norm += value * value;
    for (double& value : vector) value /= std::sqrt(norm);
  }
  float* values = tensor.data<float>();
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) values[r * columns + c] = static_cast<float>(basis[c][r]);
  }
}

}  // namespace rondo
