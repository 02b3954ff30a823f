#include "layers/grid.h"

#include <gmock/gmock.h>

#include <cstring>

#include "exact_gradients.h"
#include "grid_oracle.h"
#include "layers/equations.h"
#include "layers/recurrent_pass.h"
#include "layers/recurrent_stream.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using testing::HasSubstr;

constexpr int64_t kInput = 3, kHidden = 5;
const std::vector<int64_t> kLengths = {3, 0, 5, 1};

struct GridCase {
  const char* name;
  RecurrentOptions options;
};

RecurrentOptions grid_options(GridOptions grid, int64_t layers = 2, bool bidirectional = false) {
  return {.cell = Cell::kGrid,
          .hidden = kHidden,
          .layers = layers,
          .bidirectional = bidirectional,
          .grid = grid,
          .forget_bias = 0.5};
}

// The one table of cases: forward against the oracle, gradients against the complex step, bits against bits.
const std::vector<GridCase>& grid_cases() {
  static const std::vector<GridCase> cases = {
      {"plain", grid_options({})},
      {"tied", grid_options({.tied_layers = true}, 3)},
      {"gate_outside", grid_options({.output_gate = OutputGate::kOutside})},
      {"no_priority", grid_options({.priority = Priority::kNone})},
      {"time_first_served", grid_options({.tied_layers = true, .priority = Priority::kTime})},
      {"identity_depth", grid_options({.along_depth = Along::kIdentity})},
      {"tanh_depth", grid_options({.along_depth = Along::kTanh, .priority = Priority::kNone})},
      {"relu_depth", grid_options({.tied_layers = true, .along_depth = Along::kRelu})},
      {"identity_time", grid_options({.along_time = Along::kIdentity})},
      {"tanh_time", grid_options({.along_time = Along::kTanh})},
      {"relu_time", grid_options({.along_time = Along::kRelu, .priority = Priority::kTime})},
      {"depth_alone", grid_options({.along_time = Along::kNone}, 3)},
      {"depth_alone_tied", grid_options({.tied_layers = true, .along_time = Along::kNone}, 3)},
      {"depth_alone_tanh",
       grid_options({.tied_layers = true, .along_depth = Along::kTanh, .along_time = Along::kNone}, 3)},
      {"both_ways", grid_options({.tied_layers = true}, 2, true)},
      {"both_ways_no_priority", grid_options({.priority = Priority::kNone}, 2, true)},
      {"both_ways_time_last", grid_options({.priority = Priority::kTime}, 2, true)},
  };
  for (const GridCase& c : cases) {
    RecurrentOptions options = c.options;
    options.forget_bias = options.has_forget_gates() ? options.forget_bias : 0;
    options.check();
  }
  return cases;
}

RecurrentOptions options_of(const GridCase& c) {
  RecurrentOptions options = c.options;
  if (!options.has_forget_gates()) options.forget_bias = 0;
  return options;
}

struct Net {
  ParameterSet set;
  RecurrentStack stack;
  explicit Net(const RecurrentOptions& options, DType type = DType::kFloat32)
      : stack(set, kInput, options, type) {
    if (type == DType::kFloat32) stack.initialize(Stream(1));
  }
  /// Also biases that are not zero.
  void shake() {
    for (Parameter& p : set.all()) {
      const Tensor noise = random_values(p.value.shape(), 77 + p.name.size());
      for (int64_t i = 0; i < p.value.size(); ++i) p.value.data<float>()[i] += 0.2F * noise.data<float>()[i];
    }
  }
};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

Tensor row_of(const Tensor& x, int64_t row, int64_t rows = 1) {
  const int64_t columns = x.dim(1);
  Tensor part({rows, columns});
  std::memcpy(part.raw(), x.data<float>() + row * columns, static_cast<size_t>(part.bytes()));
  return part;
}

Numbers numbers(const Tensor& x, int64_t row) {
  Numbers values;
  for (int64_t j = 0; j < x.dim(1); ++j) values.push_back(x.at(row * x.dim(1) + j));
  return values;
}

// A sum with weights of its own for every element.
Variable sum_of(const Variable& y) {
  Variable total;
  for (int64_t r = 0; r < y.matrix().rows; ++r) {
    const Tensor weights =
        random_values({1, y.matrix().columns}, 90 + static_cast<uint64_t>(r), y.value().type());
    const Variable part = weighted_sum(slice(y, {.first_row = r, .rows = 1}), weights);
    total = total ? add(total, part) : part;
  }
  return total;
}

// What the oracle gives out for each packed row of one direction.
std::vector<Numbers> oracle_rows(const Net& net, const Tensor& x, const Packing& packing, bool reverse) {
  const GridShape shape = grid_shape(net.stack.options(), kInput, reverse, DType::kFloat32);
  const GridOracle oracle(net.set, shape);
  const bool timed = shape.dimensions() > 1;
  std::vector<Numbers> out(static_cast<size_t>(packing.num_rows()));
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const auto layers = static_cast<size_t>(shape.layers);
    std::vector<Numbers> h(layers, Numbers(kHidden)), m = h;  // of time, each layer
    for (int64_t s = 0; s < packing.length(n); ++s) {
      const int64_t row = packing.rows().row(reverse ? packing.length(n) - 1 - s : s, n);
      auto [up_h, up_m] = oracle.project(numbers(x, row));
      for (size_t layer = 0; layer < layers; ++layer) {
        OracleBlock in{.h = {up_h}, .m = {up_m}};
        if (timed) in.h.push_back(h[layer]), in.m.push_back(m[layer]);
        const OracleBlock result = oracle.block(static_cast<int64_t>(layer), in);
        up_h = result.h[0], up_m = result.m[0];
        if (timed) h[layer] = result.h[1], m[layer] = result.m[1];
      }
      if (shape.along[0] == Along::kLstm) up_h.insert(up_h.end(), up_m.begin(), up_m.end());
      out[static_cast<size_t>(row)] = up_h;
    }
  }
  return out;
}

class Grid : public testing::TestWithParam<GridCase> {};

TEST_P(Grid, FollowsThePaperOnEveryBackend) {
  Net net(options_of(GetParam()));
  net.shake();
  const Packing packing(kLengths);
  const Tensor x = random_values({packing.num_rows(), kInput}, 3);
  for (const char* name : {"reference", "cpu"}) {
    const auto backend = open_device(name, 2);
    Tape tape(*backend);
    const Tensor y = net.stack.forward(tape, tape.input(x), packing).y.value();
    const int64_t width = net.stack.options().output();
    ASSERT_EQ(y.shape(), (Shape{packing.num_rows(), net.stack.options().directions() * width}));
    for (int64_t d = 0; d < net.stack.options().directions(); ++d) {
      const std::vector<Numbers> expected = oracle_rows(net, x, packing, d == 1);
      for (int64_t r = 0; r < packing.num_rows(); ++r) {
        for (int64_t j = 0; j < width; ++j) {
          // Roundings of float over a few layers and steps.
          EXPECT_NEAR(y.at(r * y.dim(1) + d * width + j),
                      expected[static_cast<size_t>(r)][static_cast<size_t>(j)], 2e-6)
              << name << " direction " << d << " row " << r << " column " << j;
        }
      }
    }
  }
}

TEST_P(Grid, GradientsAreExact) {
  RecurrentOptions options = options_of(GetParam());
  options.hidden = 3;
  Net net(options, DType::kComplex128);
  randomize(net.set, 11);
  const Packing packing(std::vector<int64_t>{2, 0, 3});
  const Tensor x = random_values({5, kInput}, 4, DType::kComplex128);
  const int64_t states = options.state_of(0) > 0 ? options.layers * options.directions() : 0;
  expect_exact_gradients(net.set, [&](Tape& tape) {
    RecurrentState initial;
    for (int64_t i = 0; i < states; ++i) {
      initial.h.push_back(tape.input(random_values({3, 3}, 40 + i, DType::kComplex128)));
      if (options.cell_state_of(0) == 0) continue;
      initial.c.push_back(tape.input(random_values({3, 3}, 60 + i, DType::kComplex128)));
    }
    const RecurrentOutput out = net.stack.forward(tape, tape.input(x), packing, initial);
    std::vector<Variable> all = {out.y};
    all.insert(all.end(), out.final.h.begin(), out.final.h.end());
    all.insert(all.end(), out.final.c.begin(), out.final.c.end());
    Variable loss;
    for (const Variable& part : all) loss = loss ? add(loss, sum_of(part)) : sum_of(part);
    return loss;
  });
}

TEST_P(Grid, ThreadsBatchAndCutsChangeNoBit) {
  Net net(options_of(GetParam()));
  const Packing packing(kLengths);
  const Tensor x = random_values({packing.num_rows(), kInput}, 5);
  const auto one = open_device("cpu", 1), three = open_device("cpu", 3);
  Tape tape(*one), other(*three);
  const RecurrentOutput whole = net.stack.forward(tape, tape.input(x), packing);
  EXPECT_TRUE(same_bits(net.stack.forward(other, other.input(x), packing).y.value(), whole.y.value()));
  // The longest sequence alone, forwards in two pieces.
  Tensor alone({5, kInput});
  for (int64_t t = 0; t < 5; ++t) {
    std::memcpy(alone.data<float>() + t * kInput, x.data<float>() + packing.rows().row(t, 0) * kInput,
                kInput * sizeof(float));
  }
  const bool forwards = !net.stack.options().bidirectional;
  RecurrentState state;
  for (const auto& [first, count] : {std::pair{0, forwards ? 2 : 5}, std::pair{2, 3}}) {
    if (first > 0 && !forwards) break;
    const RecurrentOutput part = net.stack.forward(tape, tape.input(row_of(alone, first, count)),
                                                   Packing(std::vector<int64_t>{count}), state);
    state = part.final;
    for (int64_t t = 0; t < count; ++t) {
      EXPECT_TRUE(
          same_bits(row_of(part.y.value(), t), row_of(whole.y.value(), packing.rows().row(first + t, 0))))
          << "step " << first + t;
    }
  }
}

TEST_P(Grid, PreparedWeightsAndTablesGiveTheSameBits) {
  Net net(options_of(GetParam()));
  const Packing packing(kLengths);
  const Tensor tokens = random_values({7, kInput}, 6);
  const std::vector<int32_t> ids = {3, 1, 6, 0, 3, 2, 3, 3, 5};
  const auto backend = open_device("cpu", 2);
  Tape tape(*backend);
  const RecurrentInput plain{.x = {tape.input(tokens), ids}};
  const Tensor expected = net.stack.forward(tape, plain, packing).y.value();
  for (const bool table : {false, true}) {
    const PreparedStack prepared =
        net.stack.prepare(*backend, Precision::kFloat32, table ? tokens : Tensor());
    RecurrentInput input{.x = plain.x, .prepared = &prepared};
    if (table) input = {.ids = ids, .prepared = &prepared};
    EXPECT_TRUE(same_bits(net.stack.forward(tape, input, packing).y.value(), expected)) << table;
  }
}

TEST_P(Grid, AStreamHasTheBitsOfTheWholeAndForks) {
  Net net(options_of(GetParam()));
  const auto backend = open_device("cpu", 1);
  const Tensor tokens = random_values({7, kInput}, 6);
  const std::vector<int32_t> ids = {3, 1, 6, 0, 3, 2, 4};
  const auto prepared = std::make_shared<PreparedStack>(
      net.stack.prepare(*backend, Precision::kFloat32, tokens, /*streams=*/true));
  if (net.stack.options().bidirectional) {
    EXPECT_THROW(RecurrentStream(net.stack, tokens, *backend, prepared), ConfigError);
    return;
  }
  Tape tape(*backend);
  const Tensor expected =
      net.stack.forward(tape, {.x = {tape.input(tokens), ids}}, Packing(std::vector<int64_t>{7})).y.value();
  RecurrentStream stream(net.stack, tokens, *backend, prepared);
  stream.read(std::span(ids).first(2));
  RecurrentStream fork = stream;
  const std::vector<float> kept(stream.state().begin(), stream.state().end());
  for (const int32_t id : {0, 5}) fork.read(std::span(&id, 1));  // must not move the other one
  int64_t row = 2;
  for (const size_t count : {size_t{1}, size_t{3}, size_t{1}}) {
    const ConstMatrix y = stream.read(std::span(ids).subspan(static_cast<size_t>(row), count));
    for (int64_t t = 0; t < y.rows; ++t, ++row) {
      EXPECT_EQ(std::memcmp(y.row<float>(t), expected.data<float>() + row * expected.dim(1), y.columns * 4),
                0)
          << "step " << row;
    }
  }
  EXPECT_EQ(std::memcmp(stream.output().data(), expected.data<float>() + 6 * expected.dim(1),
                        stream.output().size_bytes()),
            0);
  stream.set_state(kept);
  const ConstMatrix again = stream.read(std::span(ids).subspan(2, 1));
  EXPECT_EQ(std::memcmp(again.row<float>(0), expected.data<float>() + 2 * expected.dim(1), again.columns * 4),
            0);
  EXPECT_THROW(stream.set_state(std::span(kept).first(1)), ShapeError);
}

TEST_P(Grid, NumbersAreCountedBeforeItIsMade) {
  const RecurrentOptions options = options_of(GetParam());
  EXPECT_EQ(options.num_values(kInput), static_cast<double>(Net(options).set.num_values()));
}

INSTANTIATE_TEST_SUITE_P(Cases, Grid, testing::ValuesIn(grid_cases()),
                         [](const auto& c) { return std::string(c.param.name); });

RecurrentOptions of_depth(int64_t layers, GridOptions grid) { return grid_options(grid, layers); }

TEST(GridLstm, OfOneDimensionIsAnLstmWithoutInput) {
  constexpr int64_t kLayers = 4, kRows = 6;
  Net net(of_depth(kLayers,
                   {.tied_layers = true, .along_time = Along::kNone, .output_gate = OutputGate::kOutside}));
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
void make_identity(Net& net, int64_t layers) {
  for (int64_t layer = 0; layer < layers; ++layer) {
    const Tensor& v = net.set.find(fmt::format("grid.weight_depth_l{}", layer)).value;
    v.fill(0);
    for (int64_t j = 0; j < kHidden; ++j) v.data<float>()[j * 2 * kHidden + kHidden + j] = 1;
  }
}

TEST(GridLstm, WithAnIdentityAlongDepthIsAStackedLstmBitForBit) {
  constexpr int64_t kLayers = 3;
  Net net(of_depth(kLayers, {.along_depth = Along::kIdentity, .output_gate = OutputGate::kOutside}));
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
    Net net(of_depth(layers, {.tied_layers = true}));
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
  Net tied(of_depth(kLayers, {.tied_layers = true}), DType::kFloat64);
  Net untied(of_depth(kLayers, {}), DType::kFloat64);
  randomize(tied.set, 21);
  for (Parameter& p : untied.set.all()) {
    const std::string name = p.name.substr(0, p.name.size() - 1) + "0";
    p.value = tied.set.find(name).value.clone();
  }
  const auto backend = open_device("reference", 1);
  const Packing packing(kLengths);
  const Tensor x = random_values({packing.num_rows(), kInput}, 8, DType::kFloat64);
  for (Net* net : {&tied, &untied}) {
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
  Net net(grid_options({}, 3, true));
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
  Net net(grid_options({}, 2, true));
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
  Net net(options, DType::kComplex128);
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
