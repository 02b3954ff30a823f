#include "layers/grid.h"

#include <gmock/gmock.h>

#include <cstring>

#include "exact_gradients.h"
#include "grid_nets.h"
#include "grid_oracle.h"
#include "layers/recurrent_pass.h"
#include "layers/recurrent_stream.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

struct GridCase {
  const char* name;
  RecurrentOptions options;
};

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

// What the oracle gives out for each packed row of one direction.
std::vector<Numbers> oracle_rows(const GridNet& net, const Tensor& x, const Packing& packing, bool reverse) {
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
  GridNet net(options_of(GetParam()));
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
  GridNet net(options, DType::kComplex128);
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
  GridNet net(options_of(GetParam()));
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
  GridNet net(options_of(GetParam()));
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
  GridNet net(options_of(GetParam()));
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
  EXPECT_EQ(options.num_values(kInput), static_cast<double>(GridNet(options).set.num_values()));
}

INSTANTIATE_TEST_SUITE_P(Cases, Grid, testing::ValuesIn(grid_cases()),
                         [](const auto& c) { return std::string(c.param.name); });

}  // namespace
}  // namespace rondo
