// What is estimated for a tagger against what the pool held: one step, forward and backward.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "models/tagger_batch.h"
#include "storage/small_tagger.h"
#include "tensor/device.h"
#include "tensor/memory_pool.h"
#include "training/memory_estimate.h"

namespace rondo {
namespace {

constexpr int64_t kSentences = 16, kWords = 60, kLabels = 12;

/// Sentences of words of four to eight letters, each different word `times` times.
struct Batch {
  TaggerModel model;
  std::optional<WordForms> forms;
  EncodedCorpus corpus;
  TaggerBatch batch;

  Batch(const TaggerOptions& options, int64_t times) {
    std::vector<std::string> words = {"<unk>"}, characters = {"<unk>", "</w>"}, labels;
    for (int64_t w = 0; w < kSentences * kWords; ++w) {
      std::string word = std::to_string(1000 + w);
      word.append(static_cast<size_t>(w % 5), 'x');
      words.push_back(std::move(word));
    }
    for (const char c : std::string("0123456789x")) characters.emplace_back(1, c);
    for (int64_t k = 0; k < kLabels; ++k) labels.push_back(fmt::format("T{}", k));
    model.words = Vocabulary::from_tokens(words);
    model.characters = Vocabulary::from_tokens(characters);
    model.labels = LabelSet(labels, false);
    model.network = std::make_unique<TaggerNetwork>(
        options,
        TaggerShape{.words = model.words.size(), .characters = model.characters.size(), .labels = labels});
    model.network->initialize(Stream(1));
    forms.emplace(model.forms());
    std::vector<int32_t> examples;
    for (int64_t n = 0; n < kSentences; ++n) {
      for (int64_t t = 0; t < kWords; ++t) {
        corpus.ids.push_back(forms->add(words[static_cast<size_t>(1 + (n * kWords + t) / times)]));
        corpus.labels.push_back(static_cast<int32_t>(t % kLabels));
      }
      corpus.offsets.push_back(static_cast<int64_t>(corpus.ids.size()));
      corpus.label_offsets.push_back(corpus.offsets.back());
      examples.push_back(static_cast<int32_t>(n));
    }
    batch = make_tagger_batch(*forms, corpus, examples);
  }

  TaggerBatchSize size() const {
    return {.rows = batch.packing->num_rows(),
            .sentences = kSentences,
            .words = batch.words.words.size(),
            .characters = static_cast<int64_t>(batch.words.words.characters.size())};
  }

  /// Bytes that the pool held at most above what it held before.
  int64_t held() {
    const auto backend = open_device("cpu", 1);
    TaggerNetwork& network = *model.network;
    MemoryPool& pool = MemoryPool::instance();
    pool.trim();
    const int64_t before = pool.used_bytes();
    Tape tape(*backend, {.recording = true, .training = true, .random = Stream(2)});
    const Variable scores = network.scores(tape, batch.words, *batch.packing);
    tape.backward(network.loss(scores, packed_labels(corpus, batch), *batch.packing, 1e-3));
    int64_t gradients = 0;
    for (const Parameter& parameter : network.parameters().all()) gradients += parameter.gradient.bytes();
    return pool.peak_bytes() - before - gradients;
  }
};

TEST(TaggerMemoryEstimate, HoldsWhatAStepHoldsAndLittleMore) {
  const TaggerOptions usual{.scheme = SchemeChoice::kNone};
  TaggerOptions cnn = usual, words = usual, letters = usual, deep = usual, wide = usual;
  cnn.characters = CharacterPart::kCnn;
  cnn.casing = 8;
  words.characters = CharacterPart::kNone;
  words.output = TaggerOutput::kSoftmax;
  words.recurrent.input_dropout = words.output_dropout = 0;
  letters.embedding = 0;
  letters.character_units = 100;
  deep.recurrent.layers = 2;
  deep.recurrent.dropout = 0.3;
  deep.recurrent.locked_dropout = true;
  deep.tanh = 100;
  wide.embedding = 300;
  wide.recurrent.cell = Cell::kGru;
  wide.recurrent.hidden = 32;
  size_t number = 0;
  for (const TaggerOptions& options : {usual, cnn, words, letters, deep, wide}) {
    for (const int64_t times : {1, 4}) {
      Batch batch(options, times);
      const auto truth = static_cast<double>(batch.held());
      const auto told = static_cast<double>(activation_bytes(options, kLabels, batch.size()));
      // The estimate counts the kernels' own memory too, which the pool does not hold.
      EXPECT_GT(told, 0.95 * truth) << "case " << number << ", " << times << " times";
      EXPECT_LT(told, 1.5 * truth) << "case " << number << ", " << times << " times";
    }
    ++number;
  }
}

}  // namespace
}  // namespace rondo
