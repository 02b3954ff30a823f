// Operations on the tape: shapes, and gradients by the complex step to 1e-9.
#include "tensor/operations.h"

#include <gmock/gmock.h>

#include <functional>

#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using Complex = std::complex<double>;

Tensor random_tensor(Shape shape, uint64_t seed) {
  Tensor tensor(std::move(shape), DType::kComplex128);
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<Complex>()[i] = Stream(seed).normal(i);
  return tensor;
}

using Build = std::function<Variable(Tape&, const std::vector<Variable>&)>;

// Weighted sum of all elements of what `build` makes of `inputs`, so that every element counts differently.
Variable scalar_of(Tape& tape, const std::vector<Variable>& inputs, const Build& build) {
  const Variable y = build(tape, inputs);
  return weighted_sum(y, random_tensor({y.value().size()}, 99));
}

void expect_exact_gradients(const std::vector<Tensor>& values, const Build& build) {
  const auto backend = open_device("reference", 1);
  const auto variables = [&](Tape& tape) {
    std::vector<Variable> inputs;
    for (const Tensor& value : values) inputs.push_back(tape.input(value, true));
    return inputs;
  };
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(5)});
  const std::vector<Variable> inputs = variables(tape);
  tape.backward(scalar_of(tape, inputs, build));
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_TRUE(inputs[i].gradient()) << "input " << i;
    for (int64_t e = 0; e < values[i].size(); ++e) {
      Complex& value = values[i].data<Complex>()[e];
      const Complex kept = value;
      value += Complex(0, 1e-30);
      Tape again(*backend, {.training = true, .random = Stream(5)});
      const double exact =
          scalar_of(again, variables(again), build).value().data<Complex>()[0].imag() / 1e-30;
      value = kept;
      EXPECT_NEAR(inputs[i].gradient().at(e), exact, 1e-9 * std::max(1.0, std::abs(exact)))
          << "input " << i << " element " << e;
    }
  }
}

TEST(Operations, LinearHasExactGradients) {
  expect_exact_gradients({random_tensor({4, 3}, 1), random_tensor({5, 3}, 2), random_tensor({5}, 3)},
                         [](Tape&, const std::vector<Variable>& in) { return linear(in[0], in[1], in[2]); });
  expect_exact_gradients({random_tensor({2, 3}, 1), random_tensor({1, 3}, 2)},
                         [](Tape&, const std::vector<Variable>& in) { return linear(in[0], in[1]); });
}

TEST(Operations, ActivationsHaveExactGradients) {
  for (const Activation kind : {Activation::kTanh, Activation::kRelu, Activation::kSigmoid}) {
    expect_exact_gradients({random_tensor({3, 4}, 4)},
                           [kind](Tape&, const std::vector<Variable>& in) { return activate(kind, in[0]); });
  }
}

TEST(Operations, DropoutAndConcatenateHaveExactGradients) {
  expect_exact_gradients({random_tensor({6, 4}, 4)},
                         [](Tape&, const std::vector<Variable>& in) { return dropout(in[0], 0.4); });
  expect_exact_gradients({random_tensor({3, 2}, 4), random_tensor({3, 1}, 5), random_tensor({3, 4}, 6)},
                         [](Tape&, const std::vector<Variable>& in) { return concatenate(in); });
}

TEST(Operations, StackRowsHasExactGradients) {
  const std::vector<Tensor> parts = {random_tensor({2, 3}, 4), random_tensor({1, 3}, 5),
                                     random_tensor({4, 3}, 6)};
  expect_exact_gradients(parts, [](Tape&, const std::vector<Variable>& in) { return stack_rows(in); });
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  const Variable variables[] = {tape.input(parts[0]), tape.input(parts[1]), tape.input(parts[2])};
  const Variable all = stack_rows(variables);
  EXPECT_EQ(all.shape(), (Shape{7, 3}));
  EXPECT_EQ(all.value().at(2 * 3 + 1), parts[1].at(1));
  EXPECT_EQ(all.value().at(5 * 3), parts[2].at(2 * 3));
}

TEST(Operations, AnInputUsedTwiceGetsTheSumOfBothGradients) {
  expect_exact_gradients({random_tensor({3, 3}, 7)}, [](Tape&, const std::vector<Variable>& in) {
    return linear(activate(Activation::kTanh, in[0]), in[0]);
  });
}

TEST(Operations, AddHasExactGradientsOfTheSameInputToo) {
  expect_exact_gradients({random_tensor({2, 3}, 4), random_tensor({2, 3}, 5)},
                         [](Tape&, const std::vector<Variable>& in) { return add(in[0], in[1]); });
  expect_exact_gradients({random_tensor({2, 3}, 4)},
                         [](Tape&, const std::vector<Variable>& in) { return add(in[0], in[0]); });
}

TEST(Operations, LossesHaveExactGradients) {
  expect_exact_gradients({random_tensor({4, 3}, 8)}, [](Tape&, const std::vector<Variable>& in) {
    return softmax_cross_entropy(in[0], {2, 0, 1, 1}).losses;
  });
  Tensor targets = Tensor::zeros({4, 3}, DType::kComplex128);
  for (int64_t i : {0, 4, 5, 11}) targets.data<Complex>()[i] = 1;
  expect_exact_gradients({random_tensor({4, 3}, 8)}, [targets](Tape&, const std::vector<Variable>& in) {
    return sigmoid_cross_entropy(in[0], targets).losses;
  });
}

TEST(Operations, DropoutKeepsTheMeanAndIsOffOutsideTraining) {
  const auto backend = open_device("cpu", 1);
  Tensor ones({100, 100});
  ones.fill(1);
  Tape training(*backend, {.training = true, .random = Stream(3)});
  const Variable dropped = dropout(training.input(ones), 0.25);
  double sum = 0;
  for (const float value : dropped.value().values<float>()) {
    EXPECT_TRUE(value == 0 || value == 1 / 0.75F);
    sum += value;
  }
  EXPECT_NEAR(sum / 10000, 1.0, 0.02);
  Tape inference(*backend);
  EXPECT_EQ(dropout(inference.input(ones), 0.25).value().raw(), ones.raw());
}

TEST(Operations, RefuseShapesThatDoNotFit) {
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  const Variable x = tape.input(Tensor::zeros({2, 3})), w = tape.input(Tensor::zeros({4, 5}));
  EXPECT_THROW(linear(x, w), ShapeError);
  EXPECT_THROW(softmax_cross_entropy(x, {0}), ShapeError);
  EXPECT_THROW(sigmoid_cross_entropy(x, Tensor::zeros({3, 2})), ShapeError);
  EXPECT_THROW(add(x, w), ShapeError);
  EXPECT_THROW(weighted_sum(x, Tensor::zeros({5})), ShapeError);
  const Variable parts[] = {x, w};
  EXPECT_THROW(concatenate(parts), ShapeError);
  EXPECT_THROW(stack_rows(parts), ShapeError);
}

TEST(Tape, RefusesALossThatIsNoScalarOrDependsOnNothing) {
  const auto backend = open_device("reference", 1);
  Tape tape(*backend, {.recording = true});
  EXPECT_THROW(tape.backward(tape.input(Tensor::zeros({2}), true)), ShapeError);
  EXPECT_THROW(tape.backward(tape.input(Tensor::zeros({1}))), ConfigError);
}

TEST(Device, NamesWhatThereIs) {
  EXPECT_THROW(open_device("tpu"), ConfigError);
  EXPECT_THROW(open_device("cuda:0"), ConfigError);
  EXPECT_EQ(open_device("reference", 1)->name(), "reference");
}

}  // namespace
}  // namespace rondo
