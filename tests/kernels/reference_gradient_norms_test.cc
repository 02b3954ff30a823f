// How fast gradients vanish over distance at PyTorch's initialisation: the figures that `inspect` draws.
// Published: |dL/ds_{T-k}| / |dL/ds_T| for k = 10 and 50, s = c for lstm and h otherwise, H = 64, T = 100.
// The source does not state its input. N(0, 1) of D = 8 is ours: the width at which tanh agrees (a wider
// input saturates it: .455 a step at D = 64), and the five other networks then agree without another choice.
#include <gtest/gtest.h>

#include <cmath>

#include "cases.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {
namespace {

constexpr int64_t kHidden = 64;
constexpr int64_t kSteps = 100;
constexpr int64_t kSequences = 2;
constexpr int kSeeds = 16;

struct Published {
  const char* name;
  CellKind kind;
  double forget_bias;  ///< lstm: the total, b_ih + b_hh
  double after_10, after_50, per_step;
};

using Operands = RecurrentOperands<double>;

/// U(-1/sqrt(H), 1/sqrt(H)) for all weights and biases.
void initialise(Operands& o, const Published& network, const Stream& stream) {
  auto& weights = o.directions[0].weights;
  uint64_t next = 0;
  for (Array<double>* w : weights.all()) {
    const Stream numbers = stream.sub(next++);
    for (int64_t i = 0; i < w->size(); ++i) w->values[i] = (2 * numbers.uniform(i) - 1) / std::sqrt(kHidden);
  }
  if (network.kind.cell != Cell::kLstm) return;
  for (int64_t j = kHidden; j < 2 * kHidden; ++j) {
    weights.b_ih(0, j) = network.forget_bias;
    weights.b_hh(0, j) = 0;
  }
}

/// The norm over the states of all sequences after `step` steps.
double norm_at(const Operands& o, int64_t step) {
  double sum = 0;
  for (int64_t n = 0; n < kSequences; ++n) {
    for (int64_t j = 0; j < kHidden; ++j) {
      const double d = o.directions[0].d_states(step * kSequences + n, j);
      sum += d * d;
    }
  }
  return std::sqrt(sum);
}

/// log of the ratio of norms at k = 10 and 50, for a random gradient that arrives at the last h alone.
std::pair<double, double> log_ratios(Backend& backend, const Published& network, uint64_t seed) {
  Operands o({.kind = network.kind,
              .input = 8,
              .hidden = kHidden,
              .lengths = std::vector<int64_t>(kSequences, kSteps)},
             seed);
  initialise(o, network, Stream(seed, {0x6e6f726d}));
  o.d_y.fill(0);
  o.directions[0].d_c_n.fill(0);
  o.directions[0].d_weights = {};  // the states' gradients are all that is wanted
  o.d_x = {};
  backend.recurrent_forward(o.forward());
  backend.recurrent_backward(o.backward());
  const double last = norm_at(o, kSteps - 1);
  return {std::log(norm_at(o, kSteps - 11) / last), std::log(norm_at(o, kSteps - 51) / last)};
}

class GradientNorms : public testing::TestWithParam<Published> {};

// Geometric means over 16 seeds. Whether the published figures are means is not stated; between our seeds the
// mean of a step has a standard deviation of .032 for tanh and of about .012 for the others.
TEST_P(GradientNorms, FallOverDistanceAsPublished) {
  const auto backend = make_reference_backend();
  double log_10 = 0, log_50 = 0, squares = 0;
  for (int seed = 0; seed < kSeeds; ++seed) {
    const auto [ten, fifty] = log_ratios(*backend, GetParam(), seed);
    log_10 += ten / kSeeds;
    log_50 += fifty / kSeeds;
    squares += std::exp(fifty / 50) * std::exp(fifty / 50) / kSeeds;
  }
  const double per_step = std::exp(log_50 / 50);
  RecordProperty("per_step", std::to_string(per_step));
  RecordProperty("spread", std::to_string(std::sqrt(std::max(0.0, squares - per_step * per_step))));
  EXPECT_NEAR(per_step, GetParam().per_step, 0.015);
  EXPECT_NEAR(log_10, std::log(GetParam().after_10), std::log(1.5));  // a factor of 1.5
  EXPECT_NEAR(log_50, std::log(GetParam().after_50), std::log(3.0));  // half an order of magnitude
}

INSTANTIATE_TEST_SUITE_P(
    Networks, GradientNorms,
    testing::Values(Published{"tanh", {.cell = Cell::kRnn}, 0, 1.6e-3, 1.5e-13, 0.55},
                    Published{"gru", {.cell = Cell::kGru}, 0, 5.5e-3, 4.9e-11, 0.62},
                    Published{"lstm_forget_0", {.cell = Cell::kLstm}, 0, 5.6e-3, 6.9e-11, 0.63},
                    Published{"lstm_forget_1", {.cell = Cell::kLstm}, 1, 0.113, 1.8e-4, 0.84},
                    Published{"lstm_forget_2", {.cell = Cell::kLstm}, 2, 0.416, 0.098, 0.95},
                    Published{"lstm_forget_4", {.cell = Cell::kLstm}, 4, 0.92, 1.5, 1.01}),
    [](const auto& network) { return std::string(network.param.name); });

}  // namespace
}  // namespace rondo
