// How a translator is trained, declared once; what it is stands in models/translator_options.h.
#pragma once

#include "data/parallel_corpus.h"
#include "models/translator_options.h"
#include "training/training_options.h"

namespace rondo {

/// What is read and written.
struct TranslationFiles {
  std::string source;
  std::string target;
  std::string dev_source;
  std::string dev_target;
  TrainingFiles run;  ///< its input and dev are the sources

  template <class Visitor>
  void visit(Visitor& v) {
    v("source", source,
      "sentences to translate, one a line, to learn from; or CSV, TSV or JSON lines with both sides");
    v("target", target, "their translations, line by line; none where --source holds both sides");
    v("dev-source", dev_source,
      "sentences to measure progress on; without it a share of the input is held out");
    v("dev-target", dev_target, "their translations; none where --dev-source holds both sides");
    run.visit_run(v);
  }
};

/// Which sentences and tokens the data gives.
struct TranslationCorpusOptions {
  ParallelFormat read;
  double dev_fraction = 0.02;
  int64_t subwords = 8000;
  int64_t min_count = 2;
  int64_t max_vocabulary = 0;
  int64_t max_length = 100;

  template <class Visitor>
  void visit(Visitor& v) {
    read.visit(v);
    v("dev-fraction", dev_fraction, "share of the pairs that is held out where no dev file is given",
      Range{0.0001, 0.9});
    v("subwords", subwords,
      "pieces of the SentencePiece model that is trained on each language, or with --joint on both together",
      Range{8, 1e6});
    v("min-count", min_count, "words seen less often are unknown words, with other tokenizers",
      Range{1, 1e9});
    v("max-vocabulary", max_vocabulary,
      "most frequent words kept of a language, the unknown one and the end included; 0 keeps all",
      Range{0, 2e9});
    v("max-length", max_length, "pairs with a side of more tokens are left out, in the dev set cut",
      Range{1, 1e6});
  }
};

/// Batches and loss.
struct TranslationStepOptions {
  int64_t batch_tokens = 2000;
  double label_smoothing = 0.1;
  double scheduled_sampling = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v("batch-tokens", batch_tokens, "target tokens a step, in sentences of like length; 0: --batch sentences",
      Range{0, 1e7});
    v("label-smoothing", label_smoothing, "share of each target that all tokens have equally", Range{0, 0.9});
    v("scheduled-sampling", scheduled_sampling,
      "share of the decoder's inputs that are its own best tokens instead of the true ones", Range{0, 1});
  }
};

/// All that `rondo train translate` can be told, but for device and threads, which never change a result.
struct TranslationTask {
  TranslationFiles files;
  TranslationCorpusOptions corpus;
  TranslatorOptions model;
  TranslationStepOptions steps;
  LoopOptions loop{.after = "20e"};

  template <class Visitor>
  void visit(Visitor& v) {
    files.visit(v);
    corpus.visit(v);
    model.visit(v);
    steps.visit(v);
    loop.visit(v);
  }

  /// @throws ConfigError for options that have no effect beside the others, or that contradict them.
  void check() const;
};

}  // namespace rondo
