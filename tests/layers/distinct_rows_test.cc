// Tokens that are looked up once, weights that are packed once: the same results as the plain way.
#include "layers/distinct_rows.h"

#include <gmock/gmock.h>

#include <cstring>

#include "layers/embedding.h"
#include "layers/recurrent.h"
#include "rondo/errors.h"
#include "tensor/device.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

const std::vector<int32_t> kIds = {3, 1, 3, 5, 3, 1, 0, 3, 3, 6};
const std::vector<int64_t> kLengths = {5, 3, 2, 0};

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

struct Net {
  ParameterSet set;
  Embedding embedding;
  RecurrentStack stack;
  explicit Net(const RecurrentOptions& options)
      : embedding(set, {.vocabulary = 7, .dimension = 6}), stack(set, 6, options) {
    initialize_normal(embedding.table().value, 0, 1, Stream(9));
    stack.initialize(Stream(1));
  }
};

std::vector<RecurrentOptions> stacks() {
  std::vector<RecurrentOptions> all;
  for (const Cell cell : {Cell::kRnn, Cell::kLstm, Cell::kGru}) {
    all.push_back({.cell = cell, .hidden = 9, .layers = 2, .bidirectional = true});
  }
  all.push_back({.cell = Cell::kGru, .hidden = 5, .reset = Reset::kBefore});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .projection = 3});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .peepholes = true, .coupled = true});
  all.push_back({.cell = Cell::kLstm, .hidden = 8, .without = Ablation::kOutputTanh});
  all.push_back({.cell = Cell::kGru, .hidden = 7, .coupled = true});
  return all;
}

// d loss of each weight and of each word's vector; the loss is the mean of squares, about.
struct Gradients {
  Tensor y;
  std::vector<Tensor> weights;
  Tensor table;
};

Gradients train(Net& net, Backend& backend, bool distinct) {
  net.set.clear_gradients();
  Tape tape(backend, {.recording = true});
  const DistinctRows words = net.embedding.forward(tape, kIds);
  const Packing packing(kLengths);
  const RecurrentOutput out =
      net.stack.forward(tape, {.x = distinct ? words : DistinctRows{gather(words), {}}}, packing);
  const Tensor targets = Tensor::zeros(out.y.shape());
  const Loss loss = sigmoid_cross_entropy(out.y, targets);
  Tensor ones({1, loss.losses.value().size()});
  ones.fill(1);
  tape.backward(weighted_sum(loss.losses, ones));
  Gradients result{.y = out.y.value()};
  for (const Parameter& parameter : net.set.all()) {
    if (!parameter.sparse) result.weights.push_back(parameter.gradient.clone());
  }
  EXPECT_EQ(net.embedding.table().row_gradient.rows, (std::vector<int32_t>{0, 1, 3, 5, 6}));
  result.table = net.embedding.table().row_gradient.values.clone();
  return result;
}

void expect_near(const Tensor& a, const Tensor& b, const std::string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  for (int64_t i = 0; i < a.size(); ++i) {
    // Sums in another order: a few roundings of numbers around one.
    ASSERT_NEAR(a.at(i), b.at(i), 2e-6 * std::max(1.0, std::abs(b.at(i)))) << what << " " << i;
  }
}

TEST(DistinctRows, GiveTheOutputsAndGradientsOfEveryRow) {
  for (const char* device : {"cpu", "reference"}) {
    const auto backend = open_device(device, 2);
    for (const RecurrentOptions& options : stacks()) {
      Net net(options);
      const Gradients once = train(net, *backend, true);
      const Gradients every = train(net, *backend, false);
      EXPECT_TRUE(same_bits(once.y, every.y)) << device << " " << name_of(options.cell);
      expect_near(once.table, every.table, "embedding");
      ASSERT_EQ(once.weights.size(), every.weights.size());
      for (size_t i = 0; i < once.weights.size(); ++i) {
        expect_near(once.weights[i], every.weights[i], "weight " + std::to_string(i));
      }
    }
  }
}

TEST(DistinctRows, InputDropoutDrawsAMaskForEveryPlace) {
  Net net({.hidden = 9, .input_dropout = 0.5});
  const auto backend = open_device("cpu", 1);
  const Packing packing(std::vector<int64_t>{1, 1, 1, 1});
  Tape tape(*backend, {.training = true, .random = Stream(4)});
  const DistinctRows words = net.embedding.forward(tape, std::vector<int32_t>{2, 2, 2, 2});
  ASSERT_EQ(words.x.matrix().rows, 1);
  const Tensor y = net.stack.forward(tape, {.x = words}, packing).y.value();
  EXPECT_NE(std::memcmp(y.data<float>(), y.data<float>() + 9, 9 * sizeof(float)), 0);
}

TEST(PreparedStack, HasTheBitsOfThePlainPass) {
  const auto backend = open_device("cpu", 2);
  const Packing packing(kLengths);
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8}) {
    for (RecurrentOptions options : stacks()) {
      options.precision = precision;
      const Net net(options);
      Tape tape(*backend);
      const RecurrentOutput plain =
          net.stack.forward(tape, {.x = net.embedding.forward(tape, kIds)}, packing);
      const PreparedStack kept = net.stack.prepare(*backend, precision);
      const PreparedStack table = net.stack.prepare(*backend, precision, net.embedding.table().value);
      EXPECT_EQ(kept.table_rows, 0);
      EXPECT_EQ(table.table_rows, 7);
      const RecurrentOutput packed =
          net.stack.forward(tape, {.x = net.embedding.forward(tape, kIds), .prepared = &kept}, packing);
      const RecurrentOutput looked_up = net.stack.forward(tape, {.ids = kIds, .prepared = &table}, packing);
      const std::string what = std::string(name_of(options.cell)) + " " + name_of(precision);
      EXPECT_TRUE(same_bits(plain.y.value(), packed.y.value())) << what;
      EXPECT_TRUE(same_bits(plain.y.value(), looked_up.y.value())) << what;
      EXPECT_TRUE(same_bits(plain.final.h[0].value(), looked_up.final.h[0].value())) << what;
    }
  }
}

TEST(PreparedStack, OfABackendThatKeepsNothingIsThePlainPass) {
  const auto backend = open_device("reference", 1);
  const Net net({.hidden = 4});
  const PreparedStack kept = net.stack.prepare(*backend, Precision::kFloat32, net.embedding.table().value);
  EXPECT_EQ(kept.table_rows, 0);
  Tape tape(*backend);
  const Packing packing(kLengths);
  const DistinctRows words = net.embedding.forward(tape, kIds);
  EXPECT_TRUE(same_bits(net.stack.forward(tape, {.x = words, .prepared = &kept}, packing).y.value(),
                        net.stack.forward(tape, {.x = words}, packing).y.value()));
}

TEST(PreparedStack, IsRefusedWherePassesRecordOrHaveNoTable) {
  const auto backend = open_device("cpu", 1);
  const Net net({.hidden = 4});
  const PreparedStack kept = net.stack.prepare(*backend, Precision::kFloat32);
  const Packing packing(kLengths);
  Tape records(*backend, {.recording = true});
  const DistinctRows words = net.embedding.forward(records, kIds);
  EXPECT_THROW(net.stack.forward(records, {.x = words, .prepared = &kept}, packing), ConfigError);
  const Net int8({.hidden = 4, .precision = Precision::kInt8});
  EXPECT_THROW(int8.stack.forward(records, {.x = words}, packing), ConfigError);
  Tape trains(*backend, {.training = true});
  EXPECT_THROW(
      net.stack.forward(trains, {.x = net.embedding.forward(trains, kIds), .prepared = &kept}, packing),
      ConfigError);
  Tape plain(*backend);
  EXPECT_THROW(net.stack.forward(plain, {.ids = kIds, .prepared = &kept}, packing), ShapeError);
}

// The sum over the outputs: every place has a gradient of ones, also where the table does not learn.
TEST(ObservedRows, HaveAGradientOfTheirOwnAtEveryPlace) {
  const auto backend = open_device("cpu", 1);
  for (const bool learns : {true, false}) {
    Net net({.hidden = 4});
    net.embedding.table().trainable = learns;
    Tape tape(*backend, {.recording = true, .tracing = true});
    const DistinctRows words = observed(net.embedding.forward(tape, kIds));
    EXPECT_TRUE(words.rows.empty());
    Tensor ones({6, 1}), weights({1, 10});
    ones.fill(1);
    weights.fill(1);
    const Variable sums = linear(words.x, tape.input(ones.reshape({1, 6})));  // [10, 1]
    tape.backward(weighted_sum(sums, weights));
    ASSERT_EQ(words.x.gradient().shape(), (Shape{10, 6}));
    for (const float value : words.x.gradient().values<float>()) EXPECT_EQ(value, 1);
  }
  Tape plain(*backend);
  const Net net({.hidden = 4});
  EXPECT_FALSE(observed(net.embedding.forward(plain, kIds)).rows.empty());
}

}  // namespace
}  // namespace rondo
