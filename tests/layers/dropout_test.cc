// Locked dropout: one mask a sequence, by itself and in a stack.
#include "layers/dropout.h"

#include <set>

#include "exact_gradients.h"
#include "layers/recurrent.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

Tensor ones(Shape shape) {
  Tensor tensor(std::move(shape));
  tensor.fill(1);
  return tensor;
}

std::vector<float> row_of(const Tensor& tensor, int64_t row) {
  const float* first = tensor.data<float>() + row * tensor.dim(1);
  return {first, first + tensor.dim(1)};
}

TEST(LockedDropout, IsOneMaskASequenceConstantOverItsSteps) {
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3, 0, 5, 1});
  Tape tape(*backend, {.training = true, .random = Stream(2)});
  const Tensor y = locked_dropout(tape.input(ones({9, 32})), packing, 0.5).value();
  std::set<std::vector<float>> masks;
  for (int64_t n = 0; n < 3; ++n) {
    const std::vector<float> mask = row_of(y, packing.rows().row(0, n));
    masks.insert(mask);
    for (int64_t t = 1; t < packing.length(n); ++t)
      EXPECT_EQ(row_of(y, packing.rows().row(t, n)), mask) << n << t;
    for (const float value : mask) EXPECT_TRUE(value == 0 || value == 2) << value;
  }
  EXPECT_EQ(masks.size(), 3U);
}

TEST(LockedDropout, DrawsTheMaskOfASequenceWhoeverIsBesideIt) {
  const auto backend = open_device("cpu", 1);
  const auto masks = [&](const std::vector<int64_t>& lengths) {
    const Packing packing(lengths);
    Tape tape(*backend, {.training = true, .random = Stream(2)});
    return locked_dropout(tape.input(ones({packing.num_rows(), 16})), packing, 0.5).value();
  };
  const Tensor alone = masks({4}), together = masks({4, 4, 2});
  EXPECT_EQ(row_of(alone, 0), row_of(together, 0));
}

TEST(LockedDropout, KeepsTheMeanAndIsOffOutsideTraining) {
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>(100, 2));
  Tape training(*backend, {.training = true, .random = Stream(3)});
  const Variable dropped = locked_dropout(training.input(ones({200, 100})), packing, 0.25);
  double sum = 0;
  for (const float value : dropped.value().values<float>()) sum += value;
  EXPECT_NEAR(sum / 20000, 1, 0.02);
  Tape inference(*backend);
  const Variable x = inference.input(ones({200, 100}));
  EXPECT_EQ(locked_dropout(x, packing, 0.25).value().raw(), x.value().raw());
  const Variable y = training.input(ones({200, 100}));
  EXPECT_EQ(locked_dropout(y, packing, 0).value().raw(), y.value().raw());
  EXPECT_THROW(locked_dropout(training.input(ones({199, 100})), packing, 0.25), ShapeError);
}

TEST(LockedDropout, HasExactGradients) {
  ParameterSet set;
  Parameter& x = set.add("x", random_values({6, 4}, 1, DType::kComplex128));
  const Packing packing(std::vector<int64_t>{3, 1, 2});
  expect_exact_gradients(set, [&](Tape& tape) {
    const Variable y = activate(Activation::kTanh, locked_dropout(tape.parameter(x), packing, 0.4));
    return weighted_sum(y, random_values({24}, 2, DType::kComplex128));
  });
}

struct Net {
  ParameterSet set;
  RecurrentStack stack;
  explicit Net(const RecurrentOptions& options, DType type = DType::kFloat32) : stack(set, 4, options, type) {
    randomize(set, 7);
  }
};

TEST(LockedDropout, InAStackHasExactGradients) {
  Net net({.hidden = 3,
           .layers = 2,
           .last_hidden = 2,
           .input_dropout = 0.3,
           .dropout = 0.3,
           .locked_dropout = true,
           .weight_dropout = 0.3},
          DType::kComplex128);
  Parameter& x = net.set.add("x", random_values({6, 4}, 1, DType::kComplex128));
  expect_exact_gradients(net.set, [&](Tape& tape) {
    const Variable y = net.stack.forward(tape, tape.parameter(x), Packing(std::vector<int64_t>{3, 1, 2})).y;
    return weighted_sum(y, random_values({12}, 2, DType::kComplex128));
  });
}

// The same x at every step and a layer without memory of its past: outputs differ only where masks do.
TEST(LockedDropout, InAStackHoldsBetweenLayersToo) {
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3});
  for (const bool locked : {true, false}) {
    Net net({.cell = Cell::kRnn, .hidden = 16, .layers = 2, .dropout = 0.5, .locked_dropout = locked});
    net.set.find("rnn.weight_hh_l0").value.fill(0);
    net.set.find("rnn.weight_hh_l1").value.fill(0);
    Tape tape(*backend, {.training = true, .random = Stream(3)});
    const Tensor y = net.stack.forward(tape, tape.input(ones({3, 4})), packing).y.value();
    EXPECT_EQ(row_of(y, 0) == row_of(y, 1), locked);
    EXPECT_EQ(row_of(y, 1) == row_of(y, 2), locked);
  }
}

TEST(LockedDropout, InEvaluationIsThePlainStack) {
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3, 2});
  const Tensor x = random_values({5, 4}, 3);
  const auto output = [&](const RecurrentOptions& options) {
    Net net(options);
    Tape tape(*backend);
    const Tensor y = net.stack.forward(tape, tape.input(x), packing).y.value();
    return std::vector<float>(y.values<float>().begin(), y.values<float>().end());
  };
  EXPECT_EQ(output({.hidden = 8,
                    .layers = 2,
                    .input_dropout = 0.4,
                    .dropout = 0.3,
                    .locked_dropout = true,
                    .weight_dropout = 0.5}),
            output({.hidden = 8, .layers = 2}));
}

}  // namespace
}  // namespace rondo
