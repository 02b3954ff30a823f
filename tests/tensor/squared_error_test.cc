#include "tensor/squared_error.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using Complex = std::complex<double>;

Tensor random_tensor(Shape shape, uint64_t seed) {
  Tensor tensor(std::move(shape), DType::kComplex128);
  for (int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data<Complex>()[i] = Stream(seed).normal(static_cast<uint64_t>(i));
  }
  return tensor;
}

TEST(MeanSquaredError, IsTheMeanAndLeavesTheTargets) {
  for (const char* device : {"cpu", "reference"}) {
    const auto backend = open_device(device, 1);
    const Tensor targets = Tensor::from(std::vector<float>{1, 2, 3, 4}).reshape({2, 2});
    Tape tape(*backend);
    const Variable y = tape.input(Tensor::from(std::vector<float>{1, 0, 3, 5}).reshape({2, 2}));
    const Variable loss = mean_squared_error(y, targets);
    EXPECT_EQ(loss.shape(), Shape{1});
    EXPECT_FLOAT_EQ(static_cast<float>(loss.value().at(0)), 1.25F);
    EXPECT_EQ(targets.at(3), 4);
    EXPECT_THROW(mean_squared_error(y, targets.reshape({4})), ShapeError);
  }
}

// By the complex step, to 1e-12.
TEST(MeanSquaredError, HasExactGradients) {
  const auto backend = open_device("reference", 1);
  const Tensor y = random_tensor({3, 4}, 1);
  const Tensor targets = random_tensor({3, 4}, 2);
  Tape tape(*backend, {.recording = true});
  const Variable input = tape.input(y, true);
  tape.backward(mean_squared_error(input, targets));
  for (int64_t i = 0; i < y.size(); ++i) {
    Complex& value = y.data<Complex>()[i];
    value += Complex(0, 1e-30);
    Tape again(*backend);
    const double exact =
        mean_squared_error(again.input(y), targets).value().data<Complex>()[0].imag() / 1e-30;
    value = value.real();
    EXPECT_NEAR(input.gradient().at(i), exact, 1e-12 * std::max(1.0, std::abs(exact))) << i;
  }
}

}  // namespace
}  // namespace rondo
