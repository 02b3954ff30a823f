#include "layers/recurrent.h"

#include <gmock/gmock.h>

#include <cstring>

#include "layers/equations.h"
#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::HasSubstr;

Tensor random_tensor(Shape shape, uint64_t seed) {
  Tensor tensor(std::move(shape));
  for (int64_t i = 0; i < tensor.size(); ++i) tensor.data<float>()[i] = Stream(seed).normal(i);
  return tensor;
}

struct Net {
  ParameterSet set;
  RecurrentStack stack;
  explicit Net(const RecurrentOptions& options, int64_t input = 4) : stack(set, input, options) {
    stack.initialize(Stream(1));
  }
};

TEST(RecurrentStack, NamesAndShapesAreThoseOfPyTorch) {
  Net net({.cell = Cell::kLstm, .hidden = 3, .layers = 2, .bidirectional = true, .projection = 2});
  EXPECT_EQ(net.set.find("lstm.weight_ih_l0").value.shape(), (Shape{12, 4}));
  EXPECT_EQ(net.set.find("lstm.weight_hh_l0_reverse").value.shape(), (Shape{12, 2}));
  EXPECT_EQ(net.set.find("lstm.weight_ih_l1").value.shape(), (Shape{12, 4}));
  EXPECT_EQ(net.set.find("lstm.weight_hr_l1_reverse").value.shape(), (Shape{2, 3}));
  EXPECT_EQ(net.set.find("lstm.bias_hh_l1").value.shape(), (Shape{12}));
  Net gru({.cell = Cell::kGru, .hidden = 3});
  EXPECT_EQ(gru.set.find("gru.weight_hh_l0").value.shape(), (Shape{9, 3}));
}

TEST(RecurrentStack, TheLastLayerMayHaveUnitsOfItsOwn) {
  Net net({.hidden = 6, .layers = 3, .last_hidden = 3, .bidirectional = true});
  EXPECT_EQ(net.set.find("lstm.weight_ih_l1").value.shape(), (Shape{24, 12}));
  EXPECT_EQ(net.set.find("lstm.weight_ih_l2").value.shape(), (Shape{12, 12}));
  EXPECT_EQ(net.set.find("lstm.weight_hh_l2_reverse").value.shape(), (Shape{12, 3}));
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const RecurrentOutput out =
      net.stack.forward(tape, tape.input(random_tensor({4, 4}, 2)), Packing(std::vector<int64_t>{3, 1}));
  EXPECT_EQ(out.y.shape(), (Shape{4, 6}));
  EXPECT_EQ(out.final.h[3].shape(), (Shape{2, 6}));
  EXPECT_EQ(out.final.c[5].shape(), (Shape{2, 3}));
  EXPECT_EQ(net.stack.output_size(), 6);
  for (const float value : net.set.find("lstm.weight_hh_l2").value.values<float>())
    EXPECT_LE(std::abs(value), 1 / std::sqrt(3.0F));
}

TEST(RecurrentStack, NumbersOfAStackAreCountedBeforeItIsMade) {
  const RecurrentOptions cases[] = {
      {.hidden = 6, .layers = 3, .last_hidden = 3, .bidirectional = true},
      {.cell = Cell::kGru, .hidden = 6, .layers = 2},
      {.hidden = 6, .layers = 2, .last_hidden = 9, .peepholes = true, .coupled = true, .projection = 4},
      {.hidden = 6, .peepholes = true, .without = Ablation::kInputGate},
      {.cell = Cell::kGru, .hidden = 6, .coupled = true},
  };
  for (const RecurrentOptions& options : cases) {
    EXPECT_EQ(options.num_values(4), static_cast<double>(Net(options).set.num_values()));
  }
}

TEST(RecurrentStack, OutputsHaveTheDocumentedShapes) {
  Net net({.hidden = 3, .layers = 2, .bidirectional = true});
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{3, 0, 1});
  Tape tape(*backend, {.tracing = true});
  const RecurrentOutput out = net.stack.forward(tape, tape.input(random_tensor({4, 4}, 2)), packing);
  EXPECT_EQ(out.y.shape(), (Shape{4, 6}));
  ASSERT_EQ(out.final.h.size(), 4U);
  EXPECT_EQ(out.final.h[3].shape(), (Shape{3, 3}));
  EXPECT_EQ(out.final.c[0].shape(), (Shape{3, 3}));
  ASSERT_EQ(out.traces.size(), 4U);
  EXPECT_EQ(out.traces[2].layer, 1);
  EXPECT_EQ(out.traces[0].gates.shape(), (Shape{4, 12}));
}

TEST(RecurrentStack, CarriedStateEqualsOnePassBitForBit) {
  for (const Cell cell : {Cell::kRnn, Cell::kLstm, Cell::kGru}) {
    Net net({.cell = cell, .hidden = 5, .layers = 2});
    const auto backend = open_device("cpu", 1);
    const Tensor x = random_tensor({6, 4}, 3);
    Tape tape(*backend);
    const RecurrentOutput whole = net.stack.forward(tape, tape.input(x), Packing(std::vector<int64_t>{6}));
    RecurrentState state;
    std::vector<float> pieces;
    for (const auto& [first, count] : {std::pair{0, 2}, std::pair{2, 1}, std::pair{3, 3}}) {
      Tensor part({count, 4});
      std::memcpy(part.raw(), x.data<float>() + first * 4, part.bytes());
      const RecurrentOutput out =
          net.stack.forward(tape, tape.input(part), Packing(std::vector<int64_t>{count}), state);
      state = out.final;
      pieces.insert(pieces.end(), out.y.value().values<float>().begin(), out.y.value().values<float>().end());
    }
    EXPECT_EQ(std::memcmp(pieces.data(), whole.y.value().raw(), whole.y.value().bytes()), 0) << name_of(cell);
  }
}

TEST(RecurrentStack, AnOptionWithoutEffectIsAnError) {
  const auto refused = [](const RecurrentOptions& options, const char* option) {
    try {
      options.check();
      FAIL() << option << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(option));
    }
  };
  refused({.cell = Cell::kGru, .peepholes = true}, "--peepholes");
  refused({.cell = Cell::kRnn, .coupled = true}, "--coupled");
  refused({.cell = Cell::kGru, .without = Ablation::kInputGate}, "--without");
  refused({.coupled = true, .without = Ablation::kInputGate}, "--coupled");
  refused({.coupled = true, .without = Ablation::kForgetGate}, "--coupled");
  refused({.without = Ablation::kForgetGate, .forget_bias = 1}, "--forget-bias");
  refused({.cell = Cell::kGru, .projection = 8}, "--projection");
  refused({.cell = Cell::kLstm, .reset = Reset::kBefore}, "--reset");
  refused({.cell = Cell::kLstm, .nonlinearity = Nonlinearity::kRelu}, "--nonlinearity");
  refused({.cell = Cell::kGru, .forget_bias = 1}, "--forget-bias");
  refused({.layers = 1, .dropout = 0.5}, "--dropout");
  refused({.layers = 1, .last_hidden = 8}, "--last-hidden");
  refused({.layers = 2, .last_hidden = 8, .projection = 8}, "--last-hidden");
  refused({.locked_dropout = true, .state_dropout = 0.5}, "--locked-dropout");
}

TEST(RecurrentStack, RefusesAnotherInputSize) {
  Net net({.hidden = 3});
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  EXPECT_THROW(net.stack.forward(tape, tape.input(Tensor::zeros({4, 5})), Packing(std::vector<int64_t>{4})),
               ShapeError);
  EXPECT_THROW(net.stack.forward(tape, tape.input(Tensor::zeros({3, 4})), Packing(std::vector<int64_t>{4})),
               ShapeError);
}

TEST(RecurrentStack, InitialWeightsFollowTheChosenFramework) {
  Net torch({.hidden = 16});
  for (const Parameter& parameter : torch.set.all()) {
    for (const float value : parameter.value.values<float>())
      EXPECT_LE(std::abs(value), 0.25F) << parameter.name;
  }
  Net keras({.hidden = 16, .init = Initialization::kKeras});
  const Tensor& w = keras.set.find("lstm.weight_hh_l0").value;  // [64, 16], orthonormal columns
  for (int64_t a = 0; a < 16; ++a) {
    for (int64_t b = 0; b <= a; ++b) {
      double dot = 0;
      for (int64_t r = 0; r < 64; ++r) dot += w.at(r * 16 + a) * w.at(r * 16 + b);
      EXPECT_NEAR(dot, a == b ? 1 : 0, 1e-6);
    }
  }
  const Tensor& bias = keras.set.find("lstm.bias_ih_l0").value;
  for (int64_t i = 0; i < 64; ++i) EXPECT_EQ(bias.at(i), i >= 16 && i < 32 ? 1 : 0);
}

TEST(RecurrentStack, StateDropoutUsesOneMaskASequence) {
  // The same text twice in a batch gets two masks; and the mask acts from the second step on only.
  Net net({.hidden = 32, .state_dropout = 0.5});
  const auto backend = open_device("cpu", 1);
  const Tensor one = random_tensor({3, 4}, 5);
  Tensor x({6, 4});
  for (int64_t t = 0; t < 3; ++t) {
    for (int64_t n = 0; n < 2; ++n)
      std::memcpy(x.data<float>() + (t * 2 + n) * 4, one.data<float>() + t * 4, 16);
  }
  Tape tape(*backend, {.training = true, .random = Stream(8)});
  const RecurrentOutput out = net.stack.forward(tape, tape.input(x), Packing(std::vector<int64_t>{3, 3}));
  const float* y = out.y.value().data<float>();
  EXPECT_EQ(std::memcmp(y, y + 32, 32 * sizeof(float)), 0);
  EXPECT_NE(std::memcmp(y + 64, y + 96, 32 * sizeof(float)), 0);
}

TEST(RecurrentStack, WeightDropoutIsOneMaskAStepAndOffInInference) {
  Net net({.hidden = 8, .weight_dropout = 0.5});
  const auto backend = open_device("cpu", 1);
  const Tensor x = random_tensor({4, 4}, 6);
  const auto output = [&](TapeOptions options) {
    Tape tape(*backend, options);
    const auto values =
        net.stack.forward(tape, tape.input(x), Packing(std::vector<int64_t>{4})).y.value().values<float>();
    return std::vector<float>(values.begin(), values.end());
  };
  const auto plain = output({});
  const auto first = output({.training = true, .random = Stream(1)});
  const auto second = output({.training = true, .random = Stream(2)});
  // The first step has no state to multiply: equal; the second differs.
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 8, plain.begin()));
  EXPECT_TRUE(std::equal(first.begin(), first.begin() + 8, second.begin()));
  EXPECT_FALSE(std::equal(first.begin() + 8, first.begin() + 16, second.begin() + 8));
  EXPECT_EQ(output({.training = true, .random = Stream(1)}), first);
}

TEST(Equations, NameTheOptionsInUse) {
  EXPECT_THAT(equations({.cell = Cell::kLstm, .peepholes = true, .coupled = true}), HasSubstr("i = 1 - f"));
  EXPECT_THAT(equations({.cell = Cell::kLstm, .peepholes = true}), HasSubstr("p_o*c'"));
  EXPECT_THAT(equations({.cell = Cell::kGru, .reset = Reset::kBefore}), HasSubstr("U_n (r*h)"));
  EXPECT_THAT(equations({.cell = Cell::kGru, .coupled = true}), HasSubstr("r = 1 - z"));
  const auto without = [](Ablation part) { return equations({.cell = Cell::kLstm, .without = part}); };
  EXPECT_THAT(without(Ablation::kInputGate), HasSubstr("  c' = f*c + g\n"));
  EXPECT_THAT(without(Ablation::kForgetGate), HasSubstr("  c' = c + i*g\n"));
  EXPECT_THAT(without(Ablation::kOutputGate), HasSubstr("  h' = tanh(c')\n"));
  EXPECT_THAT(without(Ablation::kInputTanh), HasSubstr("  g = W_g x"));
  EXPECT_THAT(without(Ablation::kOutputTanh), HasSubstr("  h' = o*c'\n"));
  EXPECT_THAT(equations({.cell = Cell::kRnn, .nonlinearity = Nonlinearity::kRelu}), HasSubstr("relu(W x"));
}

}  // namespace
}  // namespace rondo
