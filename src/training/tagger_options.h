// How a tagger is trained, declared once; what it is stands in models/tagger_options.h.
#pragma once

#include "data/conll.h"
#include "models/tagger_options.h"
#include "training/training_options.h"

namespace rondo {

enum class TaggerMetric { kAuto, kF1, kAccuracy };

template <>
inline constexpr auto kNames<TaggerMetric> =
    std::array{std::pair{TaggerMetric::kAuto, "auto"}, std::pair{TaggerMetric::kF1, "f1"},
               std::pair{TaggerMetric::kAccuracy, "accuracy"}};

/// Which sentences and words the data gives.
struct TaggerCorpusOptions {
  ConllOptions conll;
  double dev_fraction = 0.1;
  int64_t min_count = 1;
  int64_t max_vocabulary = 0;
  std::string vectors;
  bool all_vectors = false;
  bool freeze_embeddings = false;

  template <class Visitor>
  void visit(Visitor& v) {
    conll.visit(v);
    v("replace-invalid", conll.replace_invalid,
      "put U+FFFD for bytes that are not UTF-8 instead of stopping at them");
    v("dev-fraction", dev_fraction, "share of the sentences that is held out where no dev file is given",
      Range{0.001, 0.9});
    v("min-count", min_count, "words seen less often are unknown words; see --word-dropout too",
      Range{1, 1e9});
    v("max-vocabulary", max_vocabulary, "most frequent words kept, the unknown word included; 0 keeps all",
      Range{0, 2e9});
    v("vectors", vectors, "pretrained vectors to start the embeddings from: GloVe or .vec text, .gz too");
    v("all-vectors", all_vectors,
      "keep the words of --vectors that the input lacks too: other texts may have them");
    v("freeze-embeddings", freeze_embeddings, "do not change the word embeddings while training");
  }
};

/// What progress is.
struct MeasureOptions {
  TaggerMetric metric = TaggerMetric::kAuto;

  template <class Visitor>
  void visit(Visitor& v) {
    v("metric", metric,
      "what the best state is chosen by; auto: F1 where tags mark spans of words (B-PER I-PER O), "
      "else accuracy");
  }
};

/// All that `rondo train tag` can be told, but for device and threads, which never change a result.
struct TaggerTask {
  TrainingFiles files;
  TaggerCorpusOptions corpus;
  TaggerOptions model;
  MeasureOptions measure;
  LoopOptions loop{.after = "30e", .batch = 16, .patience = 5};

  template <class Visitor>
  void visit(Visitor& v) {
    files.visit(v);
    corpus.visit(v);
    model.visit(v);
    measure.visit(v);
    loop.visit(v);
  }
};

}  // namespace rondo
