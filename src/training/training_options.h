// How a model is trained, declared once: files, data, loop. What the model is stands in models/.
#pragma once

#include <string>

#include "base/options.h"
#include "data/labelled.h"
#include "models/classifier_options.h"
#include "training/averaging.h"
#include "training/optimizer.h"
#include "training/schedule.h"
#include "training/transfer.h"

namespace rondo {

enum class ClassWeights { kNone, kBalanced };

template <>
inline constexpr auto kNames<ClassWeights> =
    std::array{std::pair{ClassWeights::kNone, "none"}, std::pair{ClassWeights::kBalanced, "balanced"}};

/// What is read and written.
struct TrainingFiles {
  std::string input;
  std::string dev;
  std::string output;
  std::string log;
  std::string tensorboard;
  std::string report;
  bool resume = false;
  bool force = false;
  std::string command = {};  ///< no option: what the person typed, for the report

  template <class Visitor>
  void visit(Visitor& v) {
    v("input", input, "file to learn from");
    v("dev", dev, "file to measure progress on; without it a share of the input is held out");
    visit_run(v);
  }
  /// What a run writes, whatever it reads.
  template <class Visitor>
  void visit_run(Visitor& v) {
    v("output", output, "model file to write");
    v("log", log, "file of JSON lines: every evaluation and every hundredth update");
    v("tensorboard", tensorboard, "directory for TensorBoard's event files");
    v("report", report,
      "page (HTML) that shows the run while it goes on: losses, dev figure, rate, gradients, gates");
    v("resume", resume,
      "go on where OUTPUT.checkpoint stands; the result is the undisturbed run's, bit for bit");
    v("force", force, "write the output even if it exists");
  }
};

/// Which words and examples the data gives.
struct CorpusOptions {
  ReadOptions read;
  double dev_fraction = 0.1;
  int64_t min_count = 2;  // a word that occurs once teaches the unknown word
  int64_t max_vocabulary = 0;
  int64_t vocabulary_texts = 0;
  std::string sentencepiece;
  int64_t subwords = 0;
  std::string vectors;
  bool freeze_embeddings = false;

  template <class Visitor>
  void visit(Visitor& v) {
    read.visit(v);
    v("dev-fraction", dev_fraction, "share of the input that is held out where no dev file is given",
      Range{0.001, 0.9});
    v("min-count", min_count, "words seen less often are unknown words", Range{1, 1e9});
    v("max-vocabulary", max_vocabulary, "most frequent words kept, the unknown word included; 0 keeps all",
      Range{0, 2e9});
    v("vocabulary-texts", vocabulary_texts,
      "texts of the input, from its start, whose words are counted; 0 counts all", Range{0, 1e12});
    v("sentencepiece", sentencepiece, "SentencePiece model file, for --tokenizer sentencepiece");
    v("subwords", subwords,
      "train a SentencePiece model of so many pieces on the input, for --tokenizer sentencepiece; 0: none",
      Range{0, 1e6});
    v("vectors", vectors, "pretrained vectors to start the embeddings from: GloVe or .vec text, .gz too");
    v("freeze-embeddings", freeze_embeddings, "do not change the embeddings while training");
  }
};

/// The loop.
struct LoopOptions {
  std::string after = "10e";
  int64_t batch = 32;
  int64_t patience = 3;
  int64_t evaluate_every = 0;
  int64_t seed = 1;
  double checkpoint_seconds = 30;
  OptimizerOptions optimizer{.lr = 2e-3};  // docs/adr/0007-defaults.md
  ScheduleOptions schedule;
  AveragingOptions averaging;

  template <class Visitor>
  void visit(Visitor& v) {
    v("after", after, "stop after so many epochs (10e) or updates (5000u)");
    v("batch", batch, "texts a step; of a language model, streams side by side", Range{1, 1e6});
    v("patience", patience,
      "stop after so many evaluations without a better dev metric (or an equal one with a lower loss); 0 "
      "never stops early",
      Range{0, 1e6});
    v("evaluate-every", evaluate_every, "updates between evaluations; 0: at the end of each epoch",
      Range{0, 1e12});
    v("seed", seed, "of everything random: the same seed and input give the same file", Range{0, 9e15});
    v("checkpoint-seconds", checkpoint_seconds, "time between checkpoints within an epoch", Range{0, 1e9});
    optimizer.visit(v);
    schedule.visit(v);
    averaging.visit(v);
  }

  /// @throws ConfigError for an option that has no effect beside the others.
  void check() const;
};

/// How texts count in the loss.
struct LossOptions {
  ClassWeights class_weights = ClassWeights::kNone;

  template <class Visitor>
  void visit(Visitor& v) {
    v("class-weights", class_weights, "balanced: rare labels weigh as much as frequent ones");
  }
};

/// All that `rondo train classify` can be told, but for device and threads, which never change a result.
struct ClassifierTask {
  TrainingFiles files;
  CorpusOptions corpus;
  ClassifierOptions model;
  TransferOptions transfer;
  LossOptions loss;
  LoopOptions loop;

  template <class Visitor>
  void visit(Visitor& v) {
    files.visit(v);
    corpus.visit(v);
    model.visit(v);
    transfer.visit(v);
    loss.visit(v);
    loop.visit(v);
  }
};

}  // namespace rondo
