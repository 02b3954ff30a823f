// How a language model is trained, declared once; what it is stands in models/language_model_options.h.
#pragma once

#include <algorithm>

#include "data/documents.h"
#include "models/language_model_options.h"
#include "training/training_options.h"

namespace rondo {

enum class Carry { kDocument, kAlways, kNever };

template <>
inline constexpr auto kNames<Carry> =
    std::array{std::pair{Carry::kDocument, "document"}, std::pair{Carry::kAlways, "always"},
               std::pair{Carry::kNever, "never"}};

/// Which documents and tokens the data gives.
struct LanguageCorpusOptions {
  DocumentOptions documents;
  std::vector<std::string> also;
  double dev_fraction = 0.1;
  DevSplit dev_split = DevSplit::kAuto;
  int64_t dev_parts = 16;
  int64_t min_count = 1;
  int64_t max_vocabulary = 0;
  std::string sentencepiece;
  int64_t subwords = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    documents.visit(v);
    v("also", also, "more files to learn from, separated by commas");
    v("dev-fraction", dev_fraction, "share of the text that is held out where no dev file is given",
      Range{0.0001, 0.9});
    v("dev-split", dev_split,
      "which share: the end, documents drawn at random, or the end of each stream (char-rnn's); auto: the "
      "end "
      "of one document, else random");
    v("dev-parts", dev_parts,
      "parts that a long dev text is measured in side by side, each from a state of zeros; 1 is exact and "
      "slow",
      Range{1, 1e6});
    v("min-count", min_count, "tokens seen less often are unknown", Range{1, 1e9});
    v("max-vocabulary", max_vocabulary, "most frequent tokens kept, the unknown one included; 0 keeps all",
      Range{0, 2e9});
    v("sentencepiece", sentencepiece, "SentencePiece model file, for --tokenizer sentencepiece");
    v("subwords", subwords, "train a SentencePiece model of so many pieces on the text; 0: none",
      Range{0, 1e6});
  }
};

/// Backpropagation through time, and what is added to the loss.
struct UnrollOptions {
  int64_t chunk = 100;
  bool random_chunks = false;
  Carry carry = Carry::kDocument;
  double ar = 0;
  double tar = 0;
  int64_t max_mem = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v("chunk", chunk,
      "steps that gradients go back, after which the state alone is carried on; 0: to the stream's beginning",
      Range{0, 1e9});
    v("random-chunks", random_chunks,
      "draw each chunk's length about --chunk, and scale its learning rate by it (AWD-LSTM)");
    v("carry", carry,
      "whether the state goes on from chunk to chunk: within a document, always (through the ends of "
      "documents "
      "too), or never");
    v("ar", ar, "penalty on the size of the last layer's outputs (AWD-LSTM: 2)", Range{0, 1e6});
    v("tar", tar, "penalty on their change from step to step (AWD-LSTM: 1)", Range{0, 1e6});
    v("max-mem", max_mem,
      "MB that the training may hold: a chunk that needs more is run in segments whose forward pass is done "
      "twice, with the same gradients; 0: no limit",
      Range{0, 1e9});
  }
};

/// All that `rondo train lm` can be told, but for device and threads, which never change a result.
struct LanguageTask {
  TrainingFiles files;
  LanguageCorpusOptions corpus;
  LanguageModelOptions model;
  UnrollOptions unroll;
  TransferOptions transfer;
  LoopOptions loop{.after = "20e"};

  /// The default of --forget-bias is meant for lstm: the other cells have none, unless a person asked for it.
  void leave_out_forget_bias() {
    const auto& chosen = transfer.chosen;
    const bool asked = std::find(chosen.begin(), chosen.end(), "forget-bias") != chosen.end();
    if (!model.recurrent.has_forget_gates() && !asked) model.recurrent.forget_bias = 0;
  }

  template <class Visitor>
  void visit(Visitor& v) {
    files.visit(v);
    corpus.visit(v);
    model.visit(v);
    unroll.visit(v);
    transfer.visit(v);
    loop.visit(v);
  }
};

}  // namespace rondo
