// How a captioner is trained, declared once; what it is stands in models/captioner_options.h.
#pragma once

#include "data/captions.h"
#include "models/captioner_options.h"
#include "training/training_options.h"

namespace rondo {

/// What is read and written.
struct CaptionFiles {
  std::string images;
  std::string features;
  std::string captions;
  std::string dev_captions;
  TrainingFiles run;  ///< its input and dev are the captions

  template <class Visitor>
  void visit(Visitor& v) {
    v("images", images, "folder of the pictures, JPEG or PNG");
    v("features", features,
      "instead of --images: regions that another network made, safetensors [images, regions, D]");
    v("captions", captions, "CSV, TSV or JSON lines: a picture's name and a caption a row, to learn from");
    v("dev-captions", dev_captions,
      "captions to measure progress on; without it a share of the pictures is held out");
    run.visit_run(v);
  }
};

/// Which captions and words the data gives.
struct CaptionCorpusOptions {
  CaptionFormat read;
  double dev_fraction = 0.1;
  int64_t subwords = 2000;
  int64_t min_count = 2;
  int64_t max_vocabulary = 0;
  int64_t max_length = 50;

  template <class Visitor>
  void visit(Visitor& v) {
    read.visit(v);
    v("dev-fraction", dev_fraction, "share of the pictures that is held out where no dev captions are given",
      Range{0.0001, 0.9});
    v("subwords", subwords, "pieces of the model that --tokenizer sentencepiece trains on the captions",
      Range{8, 1e6});
    v("min-count", min_count, "words seen less often are unknown words", Range{1, 1e9});
    v("max-vocabulary", max_vocabulary,
      "most frequent words kept, the unknown one and the end included; 0 keeps all", Range{0, 2e9});
    v("max-length", max_length, "captions of more tokens are left out, of the dev set cut", Range{1, 1000});
  }
};

/// What the attention learns from beside the words.
struct CaptionStepOptions {
  double even_attention = 0.01;  // the paper's 1 makes attention uniform where words are few: docs/caption.md
  double taught_attention = 0;
  double reward = 0.1;
  double entropy = 0.002;
  double baseline_memory = 0.9;
  double drawn = 0.5;

  template <class Visitor>
  void visit(Visitor& v) {
    v("even-attention", even_attention,
      "attention soft: weight of the penalty sum over regions of (1 - sum over words of attention)^2, which "
      "is told apart from the loss",
      Range{0, 1000});
    v("taught-attention", taught_attention,
      "attention soft: weight of -log of what a word that names an article gives the region in its middle, "
      "where the captions tell where articles stand, as rondo data fashion-scenes does",
      Range{0, 1000});
    v("reward", reward, "attention hard: weight of what drawn regions earn", Range{0, 1000});
    v("entropy", entropy, "attention hard: weight of the attention's entropy", Range{0, 1000});
    v("baseline-memory", baseline_memory,
      "attention hard: share of the old baseline that a batch's mean reward leaves", Range{0, 1});
    v("drawn", drawn,
      "attention hard: share of the batches whose regions are drawn; the others look at all of them",
      Range{0, 1});
  }
};

/// All that `rondo train caption` can be told, but for device and threads, which never change a result.
struct CaptionTask {
  CaptionFiles files;
  CaptionCorpusOptions corpus;
  CaptionerOptions model;
  CaptionStepOptions steps;
  LoopOptions loop{.after = "30e", .batch = 64, .patience = 5};

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
