// Everything that decides what a language model is (not how it is trained), declared once.
#pragma once

#include "layers/recurrent_options.h"
#include "text/tokenizer.h"

namespace rondo {

struct LanguageModelOptions {
  TokenizerKind tokenizer = TokenizerKind::kCharacters;
  int64_t embedding = 64;
  double embedding_range = 0.1;
  double embedding_dropout = 0;
  RecurrentOptions recurrent{.hidden = 256, .forget_bias = 1};
  double output_dropout = 0;
  bool tied = false;
  std::vector<std::string> adaptive;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokenizer", tokenizer, "how a text is cut into tokens");
    v("embedding", embedding,
      "numbers a token; 0: a token is its own unit vector (one-hot), nothing is learnt", Range{0, 65536});
    v("embedding-range", embedding_range, "initial embeddings are uniform within plus and minus this",
      Range{0, 10});
    v("embedding-dropout", embedding_dropout, "share of token types dropped, all their places at once",
      Range{0, 0.99});
    recurrent.visit(v);
    v("output-dropout", output_dropout, "share of the last layer's outputs dropped, one mask a sequence",
      Range{0, 0.99});
    v("tied", tied, "the embeddings are the output layer's weights too (the last layer must be as wide)");
    v("adaptive", adaptive,
      "adaptive softmax: frequent tokens end at these ids, such as 2000,10000; the rarer, the narrower");
  }

  /// Whether tokens are unit vectors.
  bool one_hot() const { return embedding == 0; }
  /// Columns of the embedding table.
  int64_t embedding_size(int64_t vocabulary) const { return one_hot() ? vocabulary : embedding; }
  /// The ends of the adaptive softmax's clusters; empty: one softmax over all tokens.
  /// @throws ConfigError if they are no rising numbers.
  std::vector<int64_t> cutoffs() const;
  /// @throws ConfigError as RecurrentOptions::check(), and for options that do not fit together.
  void check() const;
};

}  // namespace rondo
