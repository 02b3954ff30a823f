// Counts of traced gates against what a reader of the trace counts.
#include "layers/gate_statistics.h"

#include <gtest/gtest.h>

#include "tensor/device.h"

namespace rondo {
namespace {

constexpr int64_t kInput = 3, kHidden = 5;
constexpr int64_t kLengths[] = {4, 6, 1};

/// The traces of a stack whose weights are large enough for gates at both ends.
std::vector<RecurrentTrace> traces_of(const RecurrentOptions& options) {
  const auto backend = open_device("cpu", 1);
  ParameterSet set;
  RecurrentStack stack(set, kInput, options);
  stack.initialize(Stream(3));
  for (Parameter& parameter : set.all()) {
    for (float& value : parameter.value.values<float>()) value *= 8;
  }
  const Packing packing(kLengths);
  Tensor x({packing.num_rows(), kInput});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i % 7) / 3 - 1;
  Tape tape(*backend, {.tracing = true});
  return stack.forward(tape, tape.input(x), packing).traces;
}

/// The share of one block's numbers that `at_end` says.
template <class AtEnd>
double share(const RecurrentTrace& trace, int64_t block, AtEnd at_end) {
  int64_t count = 0;
  for (int64_t r = 0; r < trace.gates.dim(0); ++r) {
    for (int64_t u = 0; u < kHidden; ++u) {
      count += at_end(trace.gates.at(r * trace.gates.dim(1) + block * kHidden + u));
    }
  }
  return static_cast<double>(count) / static_cast<double>(trace.gates.dim(0) * kHidden);
}

void expect_shares(const RecurrentOptions& options,
                   const std::vector<std::pair<std::string, int64_t>>& gates) {
  const std::vector<RecurrentTrace> traces = traces_of(options);
  GateStatistics statistics;
  statistics.add(traces, options);
  const std::vector<GateShare> shares = statistics.shares();
  ASSERT_EQ(shares.size(), gates.size() * traces.size());
  double all = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const RecurrentTrace& trace = traces[i / gates.size()];
    const auto& [name, block] = gates[i % gates.size()];
    const bool state = name == "h";
    EXPECT_EQ(shares[i].gate, name);
    EXPECT_EQ(shares[i].place.layer, trace.layer);
    EXPECT_EQ(shares[i].place.reverse, trace.reverse);
    EXPECT_DOUBLE_EQ(shares[i].low,
                     share(trace, block, [&](double v) { return v < (state ? -0.9F : 0.1F); }));
    EXPECT_DOUBLE_EQ(shares[i].high, share(trace, block, [](double v) { return v > 0.9F; }));
    all += shares[i].low + shares[i].high;
  }
  EXPECT_GT(all, 0.1) << "a case without saturated gates shows nothing";
}

TEST(GateStatistics, CountsTheGatesOfEveryCellLayerAndDirection) {
  expect_shares({.hidden = kHidden, .layers = 2, .bidirectional = true}, {{"i", 0}, {"f", 1}, {"o", 3}});
  expect_shares({.hidden = kHidden, .coupled = true}, {{"f", 0}, {"o", 2}});
  expect_shares({.hidden = kHidden, .without = Ablation::kForgetGate}, {{"i", 0}, {"o", 2}});
  expect_shares({.cell = Cell::kGru, .hidden = kHidden, .coupled = true}, {{"z", 0}});
  expect_shares({.cell = Cell::kGru, .hidden = kHidden, .bidirectional = true}, {{"r", 0}, {"z", 1}});
  expect_shares({.cell = Cell::kGru, .hidden = kHidden, .reset = Reset::kBefore}, {{"r", 0}, {"z", 1}});
  expect_shares({.cell = Cell::kRnn, .hidden = kHidden, .layers = 2}, {{"h", 0}});
}

TEST(GateStatistics, AReluHasNoEnds) {
  const RecurrentOptions options{.cell = Cell::kRnn, .hidden = kHidden, .nonlinearity = Nonlinearity::kRelu};
  GateStatistics statistics;
  statistics.add(traces_of(options), options);
  EXPECT_TRUE(statistics.shares().empty());
  EXPECT_EQ(statistics.directions().front().rows, 11);
}

TEST(GateStatistics, AGridHasThoseOfItsDimensions) {
  RecurrentOptions options{.cell = Cell::kGrid, .hidden = kHidden, .layers = 2, .bidirectional = true};
  GateStatistics statistics;
  statistics.add(traces_of(options), options);
  EXPECT_EQ(statistics.directions().size(), 8U);
  EXPECT_EQ(statistics.shares().size(), 24U);
  options.grid.along_depth = Along::kIdentity;
  GateStatistics of_time;
  of_time.add(traces_of(options), options);
  EXPECT_EQ(of_time.shares().size(), 12U) << "a map without cells has no gates";
  EXPECT_EQ(of_time.shares().front().place.words(), "layer 1, along time");
}

TEST(GateStatistics, PassesAddUp) {
  const RecurrentOptions options{.hidden = kHidden};
  const std::vector<RecurrentTrace> traces = traces_of(options);
  GateStatistics once, twice;
  once.add(traces, options);
  twice.add(traces, options);
  twice.add(traces, options);
  EXPECT_EQ(twice.directions().front().rows, 2 * once.directions().front().rows);
  EXPECT_DOUBLE_EQ(twice.shares()[1].low, once.shares()[1].low);
  EXPECT_NEAR(twice.directions().front().variance(2), once.directions().front().variance(2), 1e-12);
}

TEST(GateStatistics, VarianceIsThatOfTheDirectionsOwnHiddenUnits) {
  const RecurrentOptions options{.hidden = kHidden, .bidirectional = true, .projection = 3};
  const std::vector<RecurrentTrace> traces = traces_of(options);
  GateStatistics statistics;
  statistics.add(traces, options);
  const Tensor& hidden = traces[1].hidden;  // [R, 2*3]
  double sum = 0, squares = 0;
  for (int64_t r = 0; r < hidden.dim(0); ++r) {
    const double value = hidden.at(r * 6 + 3 + 2);
    sum += value;
    squares += value * value;
  }
  const auto rows = static_cast<double>(hidden.dim(0));
  EXPECT_NEAR(statistics.directions()[1].variance(2), squares / rows - sum / rows * (sum / rows), 1e-9);
}

TEST(GateStatistics, NoRowsAreNoShares) {
  GateStatistics statistics;
  statistics.add({}, {});
  EXPECT_TRUE(statistics.shares().empty());
}

}  // namespace
}  // namespace rondo
