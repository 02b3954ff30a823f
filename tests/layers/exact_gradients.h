// Gradients of layers held to the complex step: f'(x) = Im f(x + ih) / h on the reference backend.
#pragma once

#include <gmock/gmock.h>

#include <functional>

#include "layers/initialize.h"
#include "tensor/device.h"
#include "tensor/tape.h"

namespace rondo {

inline Tensor random_values(Shape shape, uint64_t seed, DType type = DType::kFloat32) {
  const Tensor values(std::move(shape));
  initialize_normal(values, 0, 1, Stream(seed));
  return values.to(type);
}

inline void randomize(ParameterSet& set, uint64_t seed) {
  for (Parameter& parameter : set.all()) {
    parameter.value = random_values(parameter.value.shape(), seed++, parameter.value.type());
  }
}

/// What stands in a dense gradient or, for rows, in a sparse one.
inline double gradient_at(const Parameter& parameter, int64_t element) {
  if (!parameter.sparse) return parameter.gradient ? parameter.gradient.at(element) : 0;
  const int64_t columns = parameter.value.dim(1);
  const auto& rows = parameter.row_gradient.rows;
  for (size_t r = 0; r < rows.size(); ++r) {
    if (rows[r] != element / columns) continue;
    return parameter.row_gradient.values.at(static_cast<int64_t>(r) * columns + element % columns);
  }
  return 0;
}

/// The gradients of every element of every parameter (complex128) of the loss [1] that `build` makes.
inline void expect_exact_gradients(ParameterSet& set, const std::function<Variable(Tape&)>& build) {
  using Complex = std::complex<double>;
  const auto backend = open_device("reference", 1);
  set.clear_gradients();
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(5)});
  tape.backward(build(tape));
  int64_t moved = 0;
  for (Parameter& parameter : set.all()) {
    for (int64_t e = 0; e < parameter.value.size(); ++e) {
      Complex& value = parameter.value.data<Complex>()[e];
      const Complex kept = value;
      value += Complex(0, 1e-30);
      Tape again(*backend, {.training = true, .random = Stream(5)});
      const double exact = build(again).value().data<Complex>()[0].imag() / 1e-30;
      value = kept;
      moved += exact != 0;
      // Roundings of double precision sums.
      EXPECT_NEAR(gradient_at(parameter, e), exact, 1e-11 * std::max(1.0, std::abs(exact)))
          << parameter.name << " element " << e;
    }
  }
  EXPECT_GT(moved, 0);
}

}  // namespace rondo
