#include "models/classifier_network.h"

#include <gmock/gmock.h>

#include <cstring>

#include "models/gradient_check.h"
#include "rondo/errors.h"
#include "tensor/device.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

constexpr int64_t kVocabulary = 9;
constexpr int64_t kLabels = 3;

// Ids of sequences in packed rows; an empty and a one-token one among them.
struct Texts {
  std::vector<std::vector<int32_t>> sequences = {{1, 2, 3, 1, 8}, {}, {4}, {5, 6, 7, 0}};
  Packing packing;
  std::vector<int32_t> ids;

  Texts() {
    std::vector<int64_t> lengths;
    for (const auto& sequence : sequences) lengths.push_back(static_cast<int64_t>(sequence.size()));
    packing = Packing(lengths);
    ids.resize(packing.num_rows());
    for (int64_t n = 0; n < packing.sequences(); ++n) {
      for (int64_t t = 0; t < packing.length(n); ++t) {
        ids[packing.rows().row(t, n)] = sequences[packing.order()[n]][t];
      }
    }
  }
};

ClassifierOptions small(RecurrentOptions recurrent, PoolKind pool = PoolKind::kMax) {
  recurrent.hidden = 4;
  return {
      .embedding = 3, .embedding_deviation = 0.5, .recurrent = recurrent, .pool = pool, .output_dropout = 0};
}

void expect_exact(const ClassifierOptions& options, const char* what) {
  ClassifierNetwork network(options, kVocabulary, kLabels);
  network.initialize(Stream(4));
  const Texts texts;
  for (const GradientCheck& row : check_gradients(
           network, {.ids = texts.ids, .packing = texts.packing, .targets = {0, 1, 2, 1}, .samples = 0})) {
    EXPECT_LE(row.error, 1e-9) << what << " " << row.parameter;
    EXPECT_GT(row.checked, 0) << what;
  }
}

TEST(ClassifierNetwork, EveryCellAndOptionHasExactGradients) {
  expect_exact(small({.cell = Cell::kRnn}), "rnn");
  expect_exact(small({.cell = Cell::kRnn, .bidirectional = true, .nonlinearity = Nonlinearity::kRelu}),
               "relu");
  expect_exact(small({.cell = Cell::kLstm, .layers = 2, .bidirectional = true, .dropout = 0.3}),
               "lstm 2 layers");
  expect_exact(small({.cell = Cell::kLstm, .peepholes = true}), "peepholes");
  expect_exact(small({.cell = Cell::kLstm, .coupled = true}), "coupled");
  expect_exact(small({.cell = Cell::kLstm, .without = Ablation::kForgetGate}), "without");
  expect_exact(small({.cell = Cell::kGru, .reset = Reset::kBefore, .coupled = true}), "minimal gated");
  expect_exact(
      small(
          {.cell = Cell::kLstm, .bidirectional = true, .peepholes = true, .coupled = true, .projection = 2}),
      "all of lstm");
  expect_exact(small({.cell = Cell::kGru, .layers = 2}), "gru");
  expect_exact(small({.cell = Cell::kGru, .bidirectional = true, .reset = Reset::kBefore}),
               "gru reset before");
  expect_exact(small({.cell = Cell::kGrid,
                      .layers = 3,
                      .bidirectional = true,
                      .grid = {.tied_layers = true},
                      .dropout = 0.3},
                     PoolKind::kConcat),
               "grid");
  expect_exact(
      small({.cell = Cell::kLstm, .input_dropout = 0.2, .state_dropout = 0.3, .weight_dropout = 0.3}),
      "dropouts");
}

TEST(ClassifierNetwork, EveryPoolHasExactGradients) {
  for (const auto& [pool, name] : kNames<PoolKind>) {
    ClassifierOptions options = small({.bidirectional = true}, pool);
    options.embedding_dropout = 0.3;
    options.output_dropout = 0.3;
    expect_exact(options, name);
  }
}

TEST(ClassifierNetwork, ATextIsTheSameBitsAloneAndInABatch) {
  const Texts texts;
  const auto backend = open_device("cpu", 2);
  for (const auto& [pool, name] : kNames<PoolKind>) {
    ClassifierNetwork network(small({.layers = 2, .bidirectional = true}, pool), kVocabulary, kLabels);
    network.initialize(Stream(2));
    Tape tape(*backend);
    const Tensor together = network.forward(tape, texts.ids, texts.packing).logits.value();
    for (int64_t n = 0; n < texts.packing.sequences(); ++n) {
      const auto& ids = texts.sequences[texts.packing.order()[n]];
      const Tensor alone =
          network.forward(tape, ids, Packing(std::vector<int64_t>{static_cast<int64_t>(ids.size())}))
              .logits.value();
      EXPECT_EQ(std::memcmp(alone.raw(), together.data<float>() + n * kLabels, kLabels * 4), 0)
          << name << " " << n;
    }
  }
}

TEST(ClassifierNetwork, ATextIsTheSameBitsAloneAndInABatchThroughAGrid) {
  const Texts texts;
  const auto backend = open_device("cpu", 2);
  for (const auto& [pool, name] : kNames<PoolKind>) {
    ClassifierNetwork network(small({.cell = Cell::kGrid, .layers = 2, .bidirectional = true}, pool),
                              kVocabulary, kLabels);
    network.initialize(Stream(2));
    for (const bool prepared : {false, true}) {
      if (prepared) network.prepare(*backend, Precision::kFloat32, 1 << 20);
      Tape tape(*backend);
      const Tensor together = network.forward(tape, texts.ids, texts.packing).logits.value();
      for (int64_t n = 0; n < texts.packing.sequences(); ++n) {
        const auto& ids = texts.sequences[texts.packing.order()[n]];
        const Tensor alone =
            network.forward(tape, ids, Packing(std::vector<int64_t>{static_cast<int64_t>(ids.size())}))
                .logits.value();
        EXPECT_EQ(std::memcmp(alone.raw(), together.data<float>() + n * kLabels, kLabels * 4), 0)
            << name << " " << n;
      }
    }
  }
}

TEST(ClassifierNetwork, FinalPoolTakesTheStateAtEachSequencesOwnEnd) {
  const Texts texts;
  const auto backend = open_device("reference", 1);
  ClassifierNetwork network(small({.bidirectional = true}, PoolKind::kFinal), kVocabulary, kLabels);
  network.initialize(Stream(2));
  Tape tape(*backend, {.tracing = true});
  const ClassifierPass pass = network.forward(tape, texts.ids, texts.packing);
  // Sequence 0 has 5 steps: forward state at its last row, reverse state at its first.
  const float* y = pass.traces[0].hidden.data<float>();
  const Tensor& w = network.parameters().find("linear.weight").value;
  const Tensor& b = network.parameters().find("linear.bias").value;
  const int64_t last = texts.packing.rows().row(4, 0), first = texts.packing.rows().row(0, 0);
  for (int64_t k = 0; k < kLabels; ++k) {
    double score = b.at(k);
    for (int64_t u = 0; u < 4; ++u)
      score += w.at(k * 8 + u) * y[last * 8 + u] + w.at(k * 8 + 4 + u) * y[first * 8 + 4 + u];
    EXPECT_NEAR(pass.logits.value().at(k), score, 1e-6);
  }
}

TEST(ClassifierNetwork, OnlyRowsThatWereReadHaveAGradient) {
  const Texts texts;
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(small({}), 50, kLabels);
  network.initialize(Stream(2));
  std::vector<int32_t> announced;
  Parameter& table = network.embedding().table();
  table.before_read = [&](std::span<const int32_t> rows) { announced.assign(rows.begin(), rows.end()); };
  Tape tape(*backend, {.recording = true, .training = true});
  const Variable losses =
      softmax_cross_entropy(network.forward(tape, texts.ids, texts.packing).logits, {0, 1, 2, 0}).losses;
  Tensor ones({4});
  ones.fill(1);
  tape.backward(weighted_sum(losses, ones));
  EXPECT_THAT(announced, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_EQ(table.row_gradient.rows, announced);
  EXPECT_EQ(table.row_gradient.values.shape(), (Shape{9, 3}));
  EXPECT_FALSE(table.gradient);
}

TEST(ClassifierNetwork, FrozenEmbeddingsHaveNoGradient) {
  const Texts texts;
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(small({}), kVocabulary, kLabels);
  network.initialize(Stream(2));
  network.embedding().table().trainable = false;
  Tape tape(*backend, {.recording = true, .training = true});
  const Variable losses =
      softmax_cross_entropy(network.forward(tape, texts.ids, texts.packing).logits, {0, 1, 2, 0}).losses;
  Tensor ones({4});
  ones.fill(1);
  tape.backward(weighted_sum(losses, ones));
  EXPECT_FALSE(network.embedding().table().row_gradient.values);
  EXPECT_TRUE(network.parameters().find("lstm.weight_ih_l0").gradient);
}

TEST(ClassifierNetwork, AnIdOutsideTheTableIsAnError) {
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(small({}), kVocabulary, kLabels);
  Tape tape(*backend);
  const std::vector<int32_t> ids = {1, 9};
  EXPECT_THROW(network.forward(tape, ids, Packing(std::vector<int64_t>{2})), DataError);
}

bool same_logits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

TEST(ClassifierNetwork, PreparedWeightsGiveTheSameBitsInEveryPrecision) {
  const Texts texts;
  const auto backend = open_device("cpu", 2);
  const auto other_backend = open_device("cpu", 1);
  for (const auto& [precision, name] : kNames<Precision>) {
    for (const PoolKind pool : {PoolKind::kMax, PoolKind::kAttention}) {
      ClassifierNetwork network(small({.layers = 2, .bidirectional = true, .precision = precision}, pool),
                                kVocabulary, kLabels);
      network.initialize(Stream(2));
      const auto logits = [&](Backend& on) {
        Tape tape(on);
        return network.forward(tape, texts.ids, texts.packing).logits.value();
      };
      const Tensor plain = logits(*backend);
      for (const int64_t table_bytes : {int64_t{0}, int64_t{1} << 20}) {
        network.prepare(*backend, precision, table_bytes);
        EXPECT_TRUE(same_logits(logits(*backend), plain)) << name << " " << table_bytes;
        EXPECT_TRUE(same_logits(logits(*other_backend), plain)) << name << " " << table_bytes;
      }
    }
  }
}

TEST(ClassifierNetwork, PassesThatRecordOrTrainUseTheParametersAsTheyAre) {
  const Texts texts;
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(small({}), kVocabulary, kLabels);
  network.initialize(Stream(2));
  const auto logits = [&](const TapeOptions& options) {
    Tape tape(*backend, options);
    return network.forward(tape, texts.ids, texts.packing).logits.value();
  };
  network.prepare(*backend, Precision::kFloat32, 1 << 20);
  const Tensor before = logits({});
  EXPECT_TRUE(same_logits(logits({.recording = true}), before));
  network.parameters().find("lstm.weight_hh_l0").value.fill(0.3);
  EXPECT_TRUE(same_logits(logits({}), before));  // packed before the change
  const Tensor after = logits({.recording = true});
  EXPECT_FALSE(same_logits(after, before));
  network.prepare(*backend, Precision::kFloat32, 1 << 20);
  EXPECT_TRUE(same_logits(logits({}), after));
}

TEST(ClassifierNetwork, AnIdOutsideTheTableIsAnErrorForPreparedWeightsToo) {
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(small({}), kVocabulary, kLabels);
  network.prepare(*backend, Precision::kFloat32, 1 << 20);
  Tape tape(*backend);
  for (const int32_t id : {9, -1}) {
    const std::vector<int32_t> ids = {1, id};
    EXPECT_THROW(network.forward(tape, ids, Packing(std::vector<int64_t>{2})), DataError) << id;
  }
}

TEST(ClassifierNetwork, ABatchOfEmptyTextsIsAnswered) {
  const auto backend = open_device("cpu", 2);
  for (const auto& [pool, name] : kNames<PoolKind>) {
    ClassifierNetwork network(small({.bidirectional = true}, pool), kVocabulary, kLabels);
    network.initialize(Stream(2));
    Tape tape(*backend);
    const Tensor logits = network.forward(tape, {}, Packing(std::vector<int64_t>{0, 0})).logits.value();
    EXPECT_EQ(logits.shape(), (Shape{2, kLabels})) << name;
    EXPECT_TRUE(std::isfinite(logits.at(0))) << name;
  }
}

}  // namespace
}  // namespace rondo
