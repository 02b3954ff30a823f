// The output layer of a language model: values, gradients, bits, and what it refuses.
#include "layers/softmax_output.h"

#include <cmath>
#include <cstring>

#include "exact_gradients.h"
#include "layers/embedding.h"
#include "layers/linear_cross_entropy.h"
#include "rondo/errors.h"
#include "tensor/memory_pool.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr DType kComplex = DType::kComplex128;

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

std::vector<int32_t> random_targets(int64_t count, int64_t vocabulary) {
  std::vector<int32_t> targets;
  for (int64_t i = 0; i < count; ++i)
    targets.push_back(static_cast<int32_t>(Stream(3).below(i, static_cast<uint64_t>(vocabulary))));
  return targets;
}

struct Layer {
  ParameterSet set;
  SoftmaxOutput output;
  explicit Layer(const SoftmaxShape& shape) : output(set, shape) { randomize(set, 20); }
};

// x itself as a parameter, so that its gradient is checked too.
void expect_exact(const SoftmaxShape& shape, const std::vector<int32_t>& targets) {
  Layer layer(shape);
  Parameter& x =
      layer.set.add("x", random_values({static_cast<int64_t>(targets.size()), shape.input}, 9, kComplex));
  expect_exact_gradients(layer.set, [&](Tape& tape) {
    // Through another operation: the upstream gradient is not one.
    const Variable loss = layer.output.loss(tape.parameter(x), targets, 0.7);
    return weighted_sum(activate(Activation::kTanh, loss), random_values({1}, 4, kComplex));
  });
}

TEST(SoftmaxOutput, HasExactGradients) {
  expect_exact({.input = 3, .vocabulary = 5, .type = kComplex}, {4, 0, 0, 2});
}

TEST(SoftmaxOutput, AdaptiveHasExactGradientsWithATailThatNothingReaches) {
  expect_exact({.input = 16, .vocabulary = 9, .cutoffs = {3, 6}, .type = kComplex}, {0, 7, 3, 8, 2, 5});
  expect_exact({.input = 16, .vocabulary = 9, .cutoffs = {3, 6}, .type = kComplex}, {0, 7, 8});
}

// One vocabulary's embedding and output in one: y = tanh of the embeddings, scored by the same table.
struct Tied {
  ParameterSet set;
  Embedding embedding;
  SoftmaxOutput output;
  explicit Tied(DType type)
      : embedding(set, {.vocabulary = 6, .dimension = 3, .type = type, .sparse = false}),
        output(set, {.input = 3, .vocabulary = 6, .type = type}, &embedding.table()) {
    randomize(set, 30);
  }
  Variable loss(const Variable& x) const { return output.loss(x, {2, 2, 5, 0}, 0.25); }
  Variable hidden(Tape& tape, double dropout) const {
    return activate(Activation::kTanh,
                    gather(embedding.forward(tape, std::vector<int32_t>{1, 2, 1, 5}, dropout)));
  }
};

TEST(SoftmaxOutput, TiedHasExactGradientsThroughBothPlaces) {
  Tied tied(kComplex);
  EXPECT_EQ(tied.set.all().size(), 2U);
  expect_exact_gradients(tied.set, [&](Tape& tape) { return tied.loss(tied.hidden(tape, 0.4)); });
}

TEST(SoftmaxOutput, TiedGradientIsThatOfTheEncoderAndOfTheDecoder) {
  Tied tied(DType::kFloat64);
  const auto backend = open_device("reference", 1);
  Parameter& table = tied.embedding.table();
  Tape both(*backend, {.recording = true});
  both.backward(tied.loss(tied.hidden(both, 0)));
  const Tensor sum = table.gradient.clone();

  Tape plain(*backend);
  const Tensor hidden = tied.hidden(plain, 0).value();
  table.clear_gradient();
  Tape decoder(*backend, {.recording = true});
  const Variable x = decoder.input(hidden, true);
  decoder.backward(tied.loss(x));
  const Tensor decoded = table.gradient.clone();

  table.clear_gradient();
  Tape encoder(*backend, {.recording = true});
  const Variable y = tied.hidden(encoder, 0);
  encoder.backward(weighted_sum(y, x.gradient().reshape({12})));
  for (int64_t i = 0; i < sum.size(); ++i) {
    EXPECT_NEAR(sum.at(i), decoded.at(i) + table.gradient.at(i), 1e-14) << i;
  }
  EXPECT_EQ(table.gradient.at(3 * 3), 0);  // a word that nobody read
}

struct Step {
  Tensor total, losses, d_x, d_w, d_b;
};

// Forward and backward; the plain way takes all logits at once.
Step step(Layer& layer, Backend& backend, const std::vector<int32_t>& targets, Precision precision,
          bool plain) {
  const auto rows = static_cast<int64_t>(targets.size());
  constexpr double kScale = 1.0 / 256;
  layer.set.clear_gradients();
  Tape tape(backend, {.recording = true});
  const Variable x = tape.input(random_values({rows, layer.output.shape().input}, 2), true);
  Parameter &w = layer.set.find("decoder.weight"), &b = layer.set.find("decoder.bias");
  Step result;
  Variable total;
  if (plain) {
    const Loss loss =
        softmax_cross_entropy(linear(x, tape.parameter(w), tape.parameter(b), precision), targets);
    const Tensor weights({1, rows});
    weights.fill(kScale);
    total = weighted_sum(loss.losses, weights);
    result.losses = loss.losses.value().reshape({rows});
  } else {
    total = layer.output.loss(x, targets, kScale, precision);
    result.losses = layer.output.losses(x, targets, precision);
  }
  tape.backward(total);
  result.total = total.value();
  result.d_x = x.gradient();
  result.d_w = w.gradient;
  result.d_b = b.gradient;
  return result;
}

TEST(SoftmaxOutput, HasTheBitsOfThePlainPathForAnyThreads) {
  constexpr int64_t kVocabulary = 100003, kRows = 200;  // three blocks of rows
  Layer layer({.input = 10, .vocabulary = kVocabulary});
  const std::vector<int32_t> targets = random_targets(kRows, kVocabulary);
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16}) {
    const Step expected = step(layer, *open_device("cpu", 1), targets, precision, true);
    for (const int threads : {1, 2}) {
      const Step got = step(layer, *open_device("cpu", threads), targets, precision, false);
      EXPECT_TRUE(same_bits(got.total, expected.total)) << threads;
      EXPECT_TRUE(same_bits(got.losses, expected.losses)) << threads;
      EXPECT_TRUE(same_bits(got.d_x, expected.d_x)) << threads;
      EXPECT_TRUE(same_bits(got.d_w, expected.d_w)) << threads;
      EXPECT_TRUE(same_bits(got.d_b, expected.d_b)) << threads;
    }
  }
}

TEST(SoftmaxOutput, NeverHoldsAllLogits) {
  constexpr int64_t kVocabulary = 30000, kRows = 1000;  // 114 MiB of logits
  Layer layer({.input = 4, .vocabulary = kVocabulary});
  const std::vector<int32_t> targets = random_targets(kRows, kVocabulary);
  const Tensor values = random_values({kRows, 4}, 2);
  const auto backend = open_device("cpu", 2);
  MemoryPool& pool = MemoryPool::instance();
  pool.trim();
  const int64_t before = pool.used_bytes();
  Tape tape(*backend, {.recording = true});
  const Variable x = tape.input(values, true);
  layer.output.losses(x, targets);
  tape.backward(layer.output.loss(x, targets, 1));
  const int64_t weights = kVocabulary * 5 * 4;
  EXPECT_LE(pool.peak_bytes() - before, kLogitBytes + 2 * weights);
}

TEST(SoftmaxOutput, ARowHasTheSameLossAloneAndAmongOthers) {
  for (const std::vector<int64_t>& cutoffs : {std::vector<int64_t>{}, {200, 900}}) {
    Layer layer({.input = 64, .vocabulary = 2000, .cutoffs = cutoffs});
    const std::vector<int32_t> targets = random_targets(50, 2000);
    const Tensor values = random_values({50, 64}, 2);
    const auto backend = open_device("cpu", 2);
    Tape tape(*backend);
    const Tensor together = layer.output.losses(tape.input(values), targets);
    for (int64_t r = 0; r < 50; ++r) {
      Tensor row({1, 64});
      std::memcpy(row.raw(), values.data<float>() + r * 64, row.bytes());
      const auto target = std::span(targets).subspan(static_cast<size_t>(r), 1);
      EXPECT_EQ(layer.output.losses(tape.input(row), target).at(0), together.at(r)) << r;
    }
  }
}

TEST(SoftmaxOutput, AdaptiveHasTheSameBitsForAnyThreads) {
  Layer layer({.input = 64, .vocabulary = 20000, .cutoffs = {500, 5000}});
  const std::vector<int32_t> targets = random_targets(300, 20000);
  std::vector<std::vector<Tensor>> results;
  for (const int threads : {1, 2}) {
    const auto backend = open_device("cpu", threads);
    layer.set.clear_gradients();
    Tape tape(*backend, {.recording = true});
    const Variable x = tape.input(random_values({300, 64}, 2), true);
    const Variable loss = layer.output.loss(x, targets, 0.01);
    tape.backward(loss);
    std::vector<Tensor> result = {loss.value(), x.gradient()};
    for (const Parameter& parameter : layer.set.all()) result.push_back(parameter.gradient);
    results.push_back(result);
  }
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(same_bits(results[0][i], results[1][i])) << i;
}

// log p of each id by the definition, in double.
std::vector<double> log_softmax(const std::vector<double>& scores) {
  double sum = 0;
  for (const double score : scores) sum += std::exp(score);
  std::vector<double> result;
  for (const double score : scores) result.push_back(score - std::log(sum));
  return result;
}

std::vector<double> times(const Tensor& w, const std::vector<double>& x) {
  std::vector<double> y(static_cast<size_t>(w.dim(0)));
  for (int64_t k = 0; k < w.dim(0); ++k) {
    for (int64_t d = 0; d < w.dim(1); ++d) y[k] += w.at(k * w.dim(1) + d) * x[d];
  }
  return y;
}

TEST(SoftmaxOutput, AdaptiveProbabilitiesAreHeadTimesTail) {
  Layer layer({.input = 16, .vocabulary = 12, .cutoffs = {4, 7}});
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Tensor values = random_values({3, 16}, 2);
  const Tensor all = layer.output.log_probabilities(tape.input(values));
  ASSERT_EQ(all.shape(), (Shape{3, 12}));
  const auto weight = [&](const char* name) { return layer.set.find(name).value; };
  for (int64_t r = 0; r < 3; ++r) {
    std::vector<double> x;
    for (int64_t d = 0; d < 16; ++d) x.push_back(values.at(r * 16 + d));
    const std::vector<double> head = log_softmax(times(weight("decoder.head.weight"), x));
    std::vector<double> expected(head.begin(), head.begin() + 4);
    for (const int i : {0, 1}) {
      const std::string name = "decoder.tail." + std::to_string(i);
      const std::vector<double> narrow = times(weight((name + ".0.weight").c_str()), x);
      for (const double inside : log_softmax(times(weight((name + ".1.weight").c_str()), narrow)))
        expected.push_back(head[4 + i] + inside);
    }
    for (int64_t id = 0; id < 12; ++id) EXPECT_NEAR(all.at(r * 12 + id), expected[id], 2e-5) << id;
  }
}

TEST(SoftmaxOutput, LogProbabilitiesAreMinusTheLossesAndSumToOne) {
  for (const std::vector<int64_t>& cutoffs : {std::vector<int64_t>{}, {4}, {4, 7}}) {
    Layer layer({.input = 16, .vocabulary = 12, .cutoffs = cutoffs});
    const auto backend = open_device("cpu", 1);
    Tape tape(*backend);
    std::vector<int32_t> targets(12);
    Tensor values({12, 16});
    const Tensor row = random_values({1, 16}, 2);
    for (int32_t i = 0; i < 12; ++i) {
      targets[i] = i;
      std::memcpy(values.data<float>() + i * 16, row.raw(), row.bytes());
    }
    const Tensor losses = layer.output.losses(tape.input(values), targets);
    const Tensor all = layer.output.log_probabilities(tape.input(row));
    const Tensor sum = layer.output.loss(tape.input(values), targets, 2).value();
    double probability = 0, total = 0;
    for (int32_t i = 0; i < 12; ++i) {
      EXPECT_NEAR(losses.at(i), -all.at(i), 1e-5 * std::max(1.0, losses.at(i))) << i;
      probability += std::exp(all.at(i));
      total += 2 * losses.at(i);
    }
    EXPECT_NEAR(probability, 1, 1e-5);
    EXPECT_NEAR(sum.at(0), total, 1e-5 * total);
  }
}

TEST(SoftmaxOutput, AnImprobableTargetHasAFiniteLoss) {
  Layer layer({.input = 1, .vocabulary = 2});
  layer.set.find("decoder.bias").value.fill(0);
  Tensor& w = layer.set.find("decoder.weight").value;
  w.data<float>()[0] = 1000;
  w.data<float>()[1] = 0;
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  Tensor one({1, 1});
  one.fill(1);
  EXPECT_NEAR(layer.output.losses(tape.input(one), std::vector<int32_t>{1}).at(0), 1000, 1e-3);
  EXPECT_NEAR(layer.output.log_probabilities(tape.input(one)).at(1), -1000, 1e-3);
}

TEST(SoftmaxOutput, FrozenWeightsGetNoGradient) {
  Layer layer({.input = 4, .vocabulary = 7});
  for (Parameter& parameter : layer.set.all()) parameter.trainable = false;
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend, {.recording = true});
  const Variable x = tape.input(random_values({3, 4}, 2), true);
  tape.backward(layer.output.loss(x, {0, 6, 2}, 1));
  EXPECT_TRUE(x.gradient());
  for (const Parameter& parameter : layer.set.all()) EXPECT_FALSE(parameter.gradient) << parameter.name;
}

TEST(SoftmaxOutput, TwoLossesAddTheirGradients) {
  Layer layer({.input = 4, .vocabulary = 7});
  const auto backend = open_device("cpu", 1);
  const Tensor values = random_values({3, 4}, 2);
  const auto backward = [&] {
    Tape tape(*backend, {.recording = true});
    tape.backward(layer.output.loss(tape.input(values), {0, 6, 2}, 1));
  };
  backward();
  Parameter& weight = layer.set.find("decoder.weight");
  const Tensor once = weight.gradient.clone();
  backward();
  for (int64_t i = 0; i < once.size(); ++i) EXPECT_EQ(weight.gradient.at(i), 2 * once.at(i));
}

TEST(SoftmaxOutput, NoRowsHaveNoLoss) {
  Layer layer({.input = 4, .vocabulary = 7});
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend, {.recording = true});
  const Variable loss = layer.output.loss(tape.input(Tensor::zeros({0, 4}), true), {}, 1);
  EXPECT_EQ(loss.value().at(0), 0);
  tape.backward(loss);
  EXPECT_EQ(layer.set.find("decoder.weight").gradient.at(0), 0);
}

TEST(SoftmaxOutput, ParametersHaveTorchsNamesAndSizes) {
  Layer full({.input = 4, .vocabulary = 7});
  EXPECT_EQ(full.set.find("decoder.weight").value.shape(), (Shape{7, 4}));
  EXPECT_EQ(full.set.find("decoder.bias").value.shape(), (Shape{7}));
  Layer adaptive({.input = 18, .vocabulary = 100, .cutoffs = {10, 30}});
  EXPECT_EQ(adaptive.set.find("decoder.head.weight").value.shape(), (Shape{12, 18}));
  EXPECT_EQ(adaptive.set.find("decoder.tail.0.0.weight").value.shape(), (Shape{4, 18}));
  EXPECT_EQ(adaptive.set.find("decoder.tail.0.1.weight").value.shape(), (Shape{20, 4}));
  EXPECT_EQ(adaptive.set.find("decoder.tail.1.0.weight").value.shape(), (Shape{1, 18}));
  EXPECT_EQ(adaptive.set.find("decoder.tail.1.1.weight").value.shape(), (Shape{70, 1}));
  EXPECT_EQ(adaptive.set.all().size(), 5U);
}

TEST(SoftmaxOutput, InitialWeightsFollowTheRule) {
  Layer adaptive({.input = 16, .vocabulary = 12, .cutoffs = {4, 7}});
  adaptive.output.initialize(Initialization::kTorch, Stream(1));
  for (const Parameter& parameter : adaptive.set.all()) {
    const double bound = 1 / std::sqrt(static_cast<double>(parameter.value.dim(1)));
    double largest = 0;
    for (const float value : parameter.value.values<float>())
      largest = std::max<double>(largest, std::abs(value));
    EXPECT_LE(largest, bound) << parameter.name;
    EXPECT_GT(largest, bound / 2) << parameter.name;
  }
  Tied tied(DType::kFloat32);
  const Tensor table = tied.embedding.table().value.clone();
  tied.output.initialize(Initialization::kTorch, Stream(1));
  EXPECT_TRUE(same_bits(tied.embedding.table().value, table));
  EXPECT_THAT(tied.set.find("decoder.bias").value.values<float>(), ElementsAre(0, 0, 0, 0, 0, 0));
}

TEST(SoftmaxOutput, RefusesShapesCutoffsAndTargets) {
  const auto refused = [](const SoftmaxShape& shape, const char* text) {
    try {
      ParameterSet set;
      const SoftmaxOutput output(set, shape);
      FAIL() << text;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(text));
    }
  };
  refused({.input = 16, .vocabulary = 9, .cutoffs = {3, 3}}, "must rise");
  refused({.input = 16, .vocabulary = 9, .cutoffs = {0, 3}}, "must rise");
  refused({.input = 16, .vocabulary = 9, .cutoffs = {9}}, "below the vocabulary of 9");
  refused({.input = 15, .vocabulary = 9, .cutoffs = {3, 6}}, "an input of 16 at least");
  ParameterSet set;
  Parameter& table = set.add("table", Tensor::zeros({9, 16}));
  EXPECT_THROW(SoftmaxOutput(set, {.input = 16, .vocabulary = 8}, &table), ShapeError);
  EXPECT_THROW(SoftmaxOutput(set, {.input = 16, .vocabulary = 9, .cutoffs = {3}}, &table), ConfigError);

  Layer layer({.input = 4, .vocabulary = 7});
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  const Variable x = tape.input(Tensor::zeros({2, 4}));
  EXPECT_THROW(layer.output.loss(x, {0}, 1), ShapeError);
  EXPECT_THROW(layer.output.loss(tape.input(Tensor::zeros({2, 3})), {0, 1}, 1), ShapeError);
  EXPECT_THROW(layer.output.loss(x, {0, 7}, 1), DataError);
  EXPECT_THROW(layer.output.losses(x, std::vector<int32_t>{0, -1}), DataError);
}

}  // namespace
}  // namespace rondo
