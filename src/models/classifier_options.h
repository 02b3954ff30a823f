// Everything that decides what a text classifier is (not how it is trained), declared once.
#pragma once

#include "layers/recurrent_options.h"
#include "text/tokenizer.h"

namespace rondo {

enum class PoolKind { kFinal, kMean, kMax, kAttention, kConcat };

template <>
inline constexpr auto kNames<PoolKind> =
    std::array{std::pair{PoolKind::kFinal, "final"}, std::pair{PoolKind::kMean, "mean"},
               std::pair{PoolKind::kMax, "max"}, std::pair{PoolKind::kAttention, "attention"},
               std::pair{PoolKind::kConcat, "concat"}};

// docs/adr/0007-defaults.md has the measurements behind the values.
struct ClassifierOptions {
  TokenizerKind tokenizer = TokenizerKind::kWords;
  int64_t max_length = 0;
  int64_t embedding = 100;
  double embedding_mean = 0;
  double embedding_deviation = 0.1;
  double embedding_dropout = 0.2;
  RecurrentOptions recurrent{.bidirectional = true, .input_dropout = 0.5};
  PoolKind pool = PoolKind::kMax;
  double output_dropout = 0.5;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokenizer", tokenizer, "how a text is cut into tokens");
    v("max-length", max_length, "tokens of a text that are read; 0 reads all", Range{0, 1e9});
    v("embedding", embedding, "numbers a word", Range{1, 65536});
    v("embedding-mean", embedding_mean, "mean of the initial embeddings (init torch)", Range{-10, 10});
    v("embedding-deviation", embedding_deviation,
      "initial embeddings are normal with this deviation (init torch)", Range{0, 10});
    v("embedding-dropout", embedding_dropout, "share of word types dropped, all their places at once",
      Range{0, 0.99});
    recurrent.visit(v);
    v("pool", pool,
      "how the outputs of a text become one vector: its final states, their mean, maximum, attention, or "
      "final, mean and maximum side by side");
    v("output-dropout", output_dropout, "share of the pooled vector dropped", Range{0, 0.99});
  }

  /// @throws ConfigError as RecurrentOptions::check(), and for an option without effect.
  void check() const;
};

}  // namespace rondo
