// AR and TAR: their values by the definition, their gradients by the complex step.
#include "layers/activation_penalty.h"

#include <cmath>
#include <cstring>

#include "exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

// Packed: 3, 2 and 1 steps and a sequence without any.
const Packing kPacking(std::vector<int64_t>{2, 0, 3, 1});

double value_of(const Tensor& dropped, const Tensor& raw, double ar, double tar,
                const Packing& packing = kPacking) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  return activation_penalty({.dropped = tape.input(dropped), .raw = tape.input(raw), .ar = ar, .tar = tar},
                            packing)
      .value()
      .at(0);
}

TEST(ActivationPenalty, IsTheMeanOfSquaresAndOfSquaredJumps) {
  const Tensor dropped = random_values({6, 5}, 1), raw = random_values({6, 5}, 2);
  double squares = 0, jumps = 0;
  for (const float value : dropped.values<float>()) squares += value * value;
  const PackedRows rows = kPacking.rows();
  int64_t count = 0;
  for (int64_t n = 0; n < kPacking.sequences(); ++n) {
    for (int64_t t = 1; t < kPacking.length(n); ++t) {
      for (int64_t d = 0; d < 5; ++d, ++count) {
        jumps += std::pow(raw.at(rows.row(t, n) * 5 + d) - raw.at(rows.row(t - 1, n) * 5 + d), 2);
      }
    }
  }
  ASSERT_EQ(count, 15);
  EXPECT_NEAR(value_of(dropped, raw, 2, 0), 2 * squares / 30, 1e-6);
  EXPECT_NEAR(value_of(dropped, raw, 0, 3), 3 * jumps / 15, 1e-6);
  EXPECT_NEAR(value_of(dropped, raw, 2, 3), 2 * squares / 30 + 3 * jumps / 15, 2e-6);
}

TEST(ActivationPenalty, HasExactGradients) {
  for (const auto& [ar, tar] : {std::pair{2.0, 0.0}, {0.0, 3.0}, {2.0, 3.0}}) {
    ParameterSet set;
    Parameter& x = set.add("x", random_values({6, 4}, 1, DType::kComplex128));
    const double ar_factor = ar, tar_factor = tar;
    expect_exact_gradients(set, [&](Tape& tape) {
      // One value in both places, as in a network, and an upstream gradient that is not one.
      const Variable raw = tape.parameter(x);
      const Variable penalty = activation_penalty(
          {.dropped = activate(Activation::kTanh, raw), .raw = raw, .ar = ar_factor, .tar = tar_factor},
          kPacking);
      return weighted_sum(penalty, random_values({1}, 3, DType::kComplex128));
    });
  }
}

TEST(ActivationPenalty, IsZeroWhereThereIsNothingToPenalise) {
  const Tensor one_row = random_values({1, 3}, 1), none = Tensor::zeros({0, 3});
  const Packing one(std::vector<int64_t>{1}), empty(std::vector<int64_t>{0});
  EXPECT_EQ(value_of(one_row, one_row, 0, 1, one), 0);
  EXPECT_EQ(value_of(one_row, one_row, 0, 0, one), 0);
  EXPECT_EQ(value_of(none, none, 1, 1, empty), 0);
}

TEST(ActivationPenalty, HasTheSameBitsForAnyThreads) {
  const Packing packing(std::vector<int64_t>(20, 70));
  std::vector<Tensor> gradients;
  for (const int threads : {1, 2}) {
    const auto backend = open_device("cpu", threads);
    Tape tape(*backend, {.recording = true});
    const Variable h = tape.input(random_values({1400, 400}, 1), true);
    const Variable penalty = activation_penalty({.dropped = h, .raw = h, .ar = 2, .tar = 1}, packing);
    EXPECT_NEAR(penalty.value().at(0), 4, 0.05);  // 2 * E x^2 + E (x - y)^2 of unit normals
    tape.backward(penalty);
    gradients.push_back(h.gradient());
  }
  EXPECT_EQ(std::memcmp(gradients[0].raw(), gradients[1].raw(), gradients[0].bytes()), 0);
}

TEST(ActivationPenalty, RefusesAnotherNumberOfRows) {
  EXPECT_THROW(value_of(Tensor::zeros({5, 2}), Tensor::zeros({6, 2}), 1, 1), ShapeError);
  EXPECT_THROW(value_of(Tensor::zeros({6, 2}), Tensor::zeros({5, 2}), 1, 1), ShapeError);
}

}  // namespace
}  // namespace rondo
