// What a Grid LSTM is beside other networks, and what its options do.
#include <gmock/gmock.h>

#include <cstring>

#include "exact_gradients.h"
#include "grid_nets.h"
#include "layers/equations.h"
#include "layers/recurrent_pass.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using testing::HasSubstr;

RecurrentOptions of_depth(int64_t layers, GridOptions grid) { return grid_options(grid, layers); }

TEST(GridLstm, OfOneDimensionIsAnLstmWithoutInput) {
  constexpr int64_t kLayers = 4, kRows = 6;
  GridNet net(of_depth(
      kLayers, {.tied_layers = true, .along_time = Along::kNone, .output_gate = OutputGate::kOutside}));
  ParameterSet set;
  RecurrentStack lstm(set, 1, {.cell = Cell::kLstm, .hidden = kHidden});
  for (const char* name : {"lstm.weight_ih_l0", "lstm.bias_hh_l0"}) set.find(name).value.fill(0);
  set.find("lstm.weight_hh_l0").value = net.set.find("grid.weight_depth_l0").value;
  set.find("lstm.bias_ih_l0").value = net.set.find("grid.bias_depth_l0").value;
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Variable x = tape.input(random_values({kRows, kInput}, 2));
  const Tensor y = net.stack.forward(tape, x, Packing(std::vector<int64_t>{kRows})).y.value();
  const Variable projected = linear(x, tape.parameter(net.set.find("grid.weight_input_l0")),
                                    tape.parameter(net.set.find("grid.bias_input_l0")));
  const RecurrentState initial{.h = {slice(projected, {.columns = kHidden})},
                               .c = {slice(projected, {.first_column = kHidden})}};
  const Packing steps(std::vector<int64_t>(kRows, kLayers));  // layers are steps
  const RecurrentOutput out =
      lstm.forward(tape, tape.input(Tensor::zeros({kLayers * kRows, 1})), steps, initial);
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kHidden; ++j) {
      EXPECT_EQ(y.at(r * 2 * kHidden + j), out.final.h[0].value().at(r * kHidden + j));
      EXPECT_EQ(y.at(r * 2 * kHidden + kHidden + j), out.final.c[0].value().at(r * kHidden + j));
    }
  }
}

// The depth that hands up the h of time: V = [0 I].
void make_identity(GridNet& net, int64_t layers) {
  for (int64_t layer = 0; layer < layers; ++layer) {
    const Tensor& v = net.set.find(fmt::format("grid.weight_depth_l{}", layer)).value;
    v.fill(0);
    for (int64_t j = 0; j < kHidden; ++j) v.data<float>()[j * 2 * kHidden + kHidden + j] = 1;
  }
}

TEST(GridLstm, WithAnIdentityAlongDepthIsAStackedLstmBitForBit) {
  constexpr int64_t kLayers = 3;
  GridNet net(of_depth(kLayers, {.along_depth = Along::kIdentity, .output_gate = OutputGate::kOutside}));
  make_identity(net, kLayers);
  ParameterSet set;
  RecurrentStack lstm(set, kHidden, {.cell = Cell::kLstm, .hidden = kHidden, .layers = kLayers});
  for (int64_t layer = 0; layer < kLayers; ++layer) {
    const Tensor w = net.set.find(fmt::format("grid.weight_time_l{}", layer)).value;
    for (const char* name : {"weight_ih", "weight_hh"}) {
      const Tensor& to = set.find(fmt::format("lstm.{}_l{}", name, layer)).value;
      for (int64_t r = 0; r < 4 * kHidden; ++r) {
        const int64_t first = std::string(name) == "weight_hh" ? kHidden : 0;
        std::memcpy(to.data<float>() + r * kHidden, w.data<float>() + r * 2 * kHidden + first, kHidden * 4);
      }
    }
    set.find(fmt::format("lstm.bias_ih_l{}", layer)).value =
        net.set.find(fmt::format("grid.bias_time_l{}", layer)).value;
    set.find(fmt::format("lstm.bias_hh_l{}", layer)).value.fill(0);
  }
  const auto backend = open_device("cpu", 2);
  const Packing packing(kLengths);
  Tape tape(*backend);
  const Variable x = tape.input(random_values({packing.num_rows(), kInput}, 9));
  const Variable projected = linear(x, tape.parameter(net.set.find("grid.weight_input_l0")),
                                    tape.parameter(net.set.find("grid.bias_input_l0")));
  const RecurrentOutput stacked = lstm.forward(tape, projected, packing);
  const RecurrentOutput grid = net.stack.forward(tape, x, packing);
  EXPECT_TRUE(same_bits(grid.y.value(), stacked.y.value()));
  for (size_t layer = 0; layer < kLayers; ++layer) {
    EXPECT_TRUE(same_bits(grid.final.h[layer].value(), stacked.final.h[layer].value()));
    EXPECT_TRUE(same_bits(grid.final.c[layer].value(), stacked.final.c[layer].value()));
  }
}

TEST(GridLstm, OpenForgetGatesCarryTheMemoryThroughAllLayersExactly) {
  for (const int64_t layers : {2, 60}) {
    GridNet net(of_depth(layers, {.tied_layers = true}));
    const Tensor& bias = net.set.find("grid.bias_depth_l0").value;
    for (int64_t j = 0; j < kHidden; ++j) {
      bias.data<float>()[j] = -300;           // the input gate is 0
      bias.data<float>()[kHidden + j] = 300;  // the forget gate is 1
    }
    const auto backend = open_device("cpu", 1);
    const Packing packing(kLengths);
    Tape tape(*backend);
    const Variable x = tape.input(random_values({packing.num_rows(), kInput}, 12));
    const Tensor projected = linear(x, tape.parameter(net.set.find("grid.weight_input_l0")),
                                    tape.parameter(net.set.find("grid.bias_input_l0")))
                                 .value();
    const Tensor y = net.stack.forward(tape, x, packing).y.value();
    for (int64_t r = 0; r < packing.num_rows(); ++r) {
      for (int64_t j = kHidden; j < 2 * kHidden; ++j) {
        EXPECT_EQ(y.at(r * 2 * kHidden + j), projected.at(r * 2 * kHidden + j));
      }
    }
  }
}

TEST(GridLstm, TiedGradientIsTheSumOfTheGradientsOfUntiedLayers) {
  constexpr int64_t kLayers = 4;
  GridNet tied(of_depth(kLayers, {.tied_layers = true}), DType::kFloat64);
  GridNet untied(of_depth(kLayers, {}), DType::kFloat64);
  randomize(tied.set, 21);
  for (Parameter& p : untied.set.all()) {
    const std::string name = p.name.substr(0, p.name.size() - 1) + "0";
    p.value = tied.set.find(name).value.clone();
  }
  const auto backend = open_device("reference", 1);
  const Packing packing(kLengths);
  const Tensor x = random_values({packing.num_rows(), kInput}, 8, DType::kFloat64);
  for (GridNet* net : {&tied, &untied}) {
    Tape tape(*backend, {.recording = true});
    tape.backward(sum_of(net->stack.forward(tape, tape.input(x), packing).y));
  }
  for (const char* part : {"weight_depth", "bias_depth", "weight_time", "bias_time"}) {
    const Tensor& whole = tied.set.find(fmt::format("grid.{}_l0", part)).gradient;
    double largest = 0;
    for (int64_t e = 0; e < whole.size(); ++e) {
      double sum = 0;
      for (int64_t layer = 0; layer < kLayers; ++layer) {
        sum += untied.set.find(fmt::format("grid.{}_l{}", part, layer)).gradient.at(e);
      }
      EXPECT_NEAR(whole.at(e), sum, 1e-12 * std::max(1.0, std::abs(sum))) << part;
      largest = std::max(largest, std::abs(sum));
    }
    EXPECT_GT(largest, 0.1) << part;
  }
}

TEST(GridLstm, TiedLayersHaveAsManyNumbersAsOne) {
  const double one = of_depth(1, {}).num_values(kInput);
  EXPECT_EQ(of_depth(2, {.tied_layers = true}).num_values(kInput), one);
  EXPECT_EQ(of_depth(50, {.tied_layers = true}).num_values(kInput), one);
  // 4*N*d*(N*d) weights a block, 4*N*d biases, and the projection to h and m.
  EXPECT_EQ(one, 4 * 2 * kHidden * 2 * kHidden + 4 * 2 * kHidden + 2 * kHidden * (kInput + 1));
}

TEST(GridLstm, OutputsAndTracesHaveTheDocumentedShapes) {
  GridNet net(grid_options({}, 3, true));
  const auto backend = open_device("cpu", 1);
  const Packing packing(kLengths);
  Tape tape(*backend, {.recording = true, .tracing = true});
  const RecurrentOutput out = net.stack.forward(tape, tape.input(random_values({9, kInput}, 3)), packing);
  EXPECT_EQ(out.y.shape(), (Shape{9, 4 * kHidden}));
  ASSERT_EQ(out.final.h.size(), 6U);
  EXPECT_EQ(out.final.c[5].shape(), (Shape{4, kHidden}));
  ASSERT_EQ(out.traces.size(), 12U);  // of each direction and layer time, then depth
  tape.backward(sum_of(out.y));
  for (size_t i = 0; i < 12; ++i) {
    const RecurrentTrace& trace = out.traces[i];
    EXPECT_EQ(trace.reverse, i >= 6);
    EXPECT_EQ(trace.layer, static_cast<int64_t>(i % 6 / 2));
    EXPECT_EQ(trace.dimension, i % 2 == 0 ? 1 : 0);
    EXPECT_EQ(trace.gates.shape(), (Shape{9, 4 * kHidden}));
    EXPECT_EQ(trace.cells.shape(), (Shape{9, kHidden}));
    EXPECT_EQ(trace.hidden.shape(), (Shape{9, kHidden}));
    double gradient = 0;
    for (int64_t e = 0; e < trace.d_states.size(); ++e) gradient += std::abs(trace.d_states.at(e));
    EXPECT_GT(gradient, 0);
  }
  // The top's h and m along depth are what the first direction gives out.
  EXPECT_EQ(out.traces[5].hidden.at(0), out.y.value().at(0));
  EXPECT_EQ(out.traces[5].cells.at(0), out.y.value().at(kHidden));
}

TEST(GridLstm, FinalRowsAreEachSequencesOwnLast) {
  GridNet net(grid_options({}, 2, true));
  const auto backend = open_device("cpu", 1);
  const Packing packing(kLengths);  // packed: 5 3 1 0
  Tape tape(*backend);
  const RecurrentOutput out = net.stack.forward(tape, tape.input(random_values({9, kInput}, 3)), packing);
  const Tensor last = final_rows(out.y, packing, net.stack.options()).value();
  ASSERT_EQ(last.shape(), (Shape{4, 4 * kHidden}));
  const Tensor& y = out.y.value();
  const int64_t half = 2 * kHidden, width = 2 * half;
  EXPECT_EQ(last.at(0), y.at(packing.rows().row(4, 0) * width));
  EXPECT_EQ(last.at(width), y.at(packing.rows().row(2, 1) * width));
  EXPECT_EQ(last.at(width + half), y.at(packing.rows().row(0, 1) * width + half));
  for (int64_t j = 0; j < width; ++j) EXPECT_EQ(last.at(3 * width + j), 0);
}

TEST(GridLstm, OptionsWithoutEffectAreRefused) {
  const auto refused = [](const RecurrentOptions& options, const char* option) {
    try {
      options.check();
      FAIL() << option << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(option));
    }
  };
  refused({.grid = {.tied_layers = true}}, "--tied-layers");
  refused({.grid = {.along_depth = Along::kTanh}}, "--along-depth");
  refused({.grid = {.along_time = Along::kNone}}, "--along-time");
  refused({.grid = {.priority = Priority::kTime}}, "--priority");
  refused({.grid = {.output_gate = OutputGate::kOutside}}, "--output-gate");
  refused(of_depth(1, {.tied_layers = true}), "--tied-layers");
  refused(of_depth(2, {.along_depth = Along::kNone}), "--along-depth");
  refused(of_depth(2, {.along_time = Along::kNone, .priority = Priority::kNone}), "--priority");
  refused(grid_options({.along_time = Along::kNone}, 2, true), "--bidirectional");
  RecurrentOptions options = of_depth(2, {});
  options.precision = Precision::kInt8;
  refused(options, "int8");
  options = of_depth(2, {});
  options.peepholes = true;
  refused(options, "--peepholes");
  options = of_depth(2, {});
  options.last_hidden = 3;
  refused(options, "--last-hidden");
  options = of_depth(2, {.along_depth = Along::kTanh, .along_time = Along::kTanh});
  refused(options, "--forget-bias");
  ParameterSet set;
  GridShape four{.input = 2, .hidden = 2, .along = std::vector<Along>(4, Along::kLstm)};
  EXPECT_THROW(GridBlocks(set, four), ConfigError);
}

TEST(GridLstm, DropoutKeepsGradientsExact) {
  RecurrentOptions options = of_depth(3, {.tied_layers = true});
  options.hidden = 3;
  options.input_dropout = options.dropout = options.state_dropout = options.weight_dropout = 0.4;
  options.locked_dropout = true;
  GridNet net(options, DType::kComplex128);
  randomize(net.set, 31);
  const Packing packing(std::vector<int64_t>{2, 0, 3});
  const Tensor x = random_values({5, kInput}, 4, DType::kComplex128);
  expect_exact_gradients(
      net.set, [&](Tape& tape) { return sum_of(net.stack.forward(tape, tape.input(x), packing).y); });
}

TEST(GridLstm, EquationsNameTheOrder) {
  EXPECT_THAT(equations(of_depth(2, {})), HasSubstr("h_d' = tanh(o*m_d')"));
  EXPECT_THAT(equations(of_depth(2, {.output_gate = OutputGate::kOutside})),
              HasSubstr("h_t' = o*tanh(m_t')"));
  EXPECT_THAT(equations(of_depth(2, {.along_depth = Along::kIdentity})), HasSubstr("h_d' = W_d H' + b_d"));
}

}  // namespace
}  // namespace rondo
