// Everything that decides what a translator is (not how it is trained), declared once.
#pragma once

#include "layers/recurrent_options.h"
#include "text/tokenizer.h"

namespace rondo {

/// Where a step of the decoder looks in the source. bahdanau asks with the state before the step, and what it
/// sees enters the cell; the others ask with the state after it.
enum class AttentionKind { kNone, kBahdanau, kDot, kGeneral, kConcat, kLocal };
/// What the decoder begins from.
enum class Bridge { kDense, kLast, kMean, kZero };

template <>
inline constexpr auto kNames<AttentionKind> =
    std::array{std::pair{AttentionKind::kNone, "none"},     std::pair{AttentionKind::kBahdanau, "bahdanau"},
               std::pair{AttentionKind::kDot, "dot"},       std::pair{AttentionKind::kGeneral, "general"},
               std::pair{AttentionKind::kConcat, "concat"}, std::pair{AttentionKind::kLocal, "local-p"}};
template <>
inline constexpr auto kNames<Bridge> =
    std::array{std::pair{Bridge::kDense, "dense"}, std::pair{Bridge::kLast, "last"},
               std::pair{Bridge::kMean, "mean"}, std::pair{Bridge::kZero, "zero"}};

struct TranslatorOptions {
  TokenizerKind tokenizer = TokenizerKind::kSentencePiece;
  bool joint = false;
  bool tied = false;
  int64_t embedding = 256;
  double embedding_range = 0.1;
  Cell cell = Cell::kLstm;
  int64_t hidden = 256;
  int64_t layers = 1;
  int64_t encoder_hidden = 0;
  int64_t encoder_layers = 0;
  bool bidirectional = true;
  Initialization init = Initialization::kTorch;
  double forget_bias = 1;
  Bridge bridge = Bridge::kDense;
  AttentionKind attention = AttentionKind::kGeneral;
  double window = 10;
  bool input_feeding = false;
  double embedding_dropout = 0;
  double input_dropout = 0;
  double dropout = 0;
  bool locked_dropout = false;
  double output_dropout = 0;
  Precision precision = Precision::kFloat32;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokenizer", tokenizer, "how a text of either language is cut into tokens");
    v("joint", joint, "one vocabulary for both languages");
    v("tied", tied,
      "the target's embeddings are the output layer's weights too; with --joint the source's are the same");
    v("embedding", embedding, "numbers a token", Range{1, 65536});
    v("embedding-range", embedding_range, "initial embeddings are uniform within plus and minus this",
      Range{0, 10});
    v("cell", cell, "recurrent cell of encoder and decoder");
    v("hidden", hidden, "units of each layer of the decoder", Range{1, 65536});
    v("layers", layers, "recurrent layers of the decoder", Range{1, 64});
    v("encoder-hidden", encoder_hidden,
      "units of each direction of each layer of the encoder; 0: both directions together "
      "as many as the decoder",
      Range{0, 65536});
    v("encoder-layers", encoder_layers, "recurrent layers of the encoder; 0: as many as the decoder",
      Range{0, 64});
    v("bidirectional", bidirectional, "the encoder reads the source in both directions");
    v("init", init, "initial weights by the rules of this framework");
    v("forget-bias", forget_bias, "added to the initial forget bias of cell lstm (init keras starts from 1)",
      Range{-20, 20});
    v("bridge", bridge,
      "what the decoder begins from: the encoder's final states through a layer (dense) or as they are "
      "(last), the mean of its outputs through a layer, or zeros");
    v("attention", attention,
      "scores of source positions: bahdanau and concat are v tanh(W q + U k), dot is q k, general q W k, "
      "local-p general within a window that it places");
    v("window", window, "of attention local-p: positions to either side; its deviation is half of it",
      Range{0.1, 1e6});
    v("input-feeding", input_feeding, "each step of the decoder also reads what the one before gave out");
    v("embedding-dropout", embedding_dropout, "share of token types dropped, all their places at once",
      Range{0, 0.99});
    v("input-dropout", input_dropout, "share of embedding outputs dropped", Range{0, 0.99});
    v("dropout", dropout, "share dropped between layers (two layers or more)", Range{0, 0.99});
    v("locked-dropout", locked_dropout,
      "--input-dropout, --dropout and --output-dropout draw one mask a text, the same at every step");
    v("output-dropout", output_dropout, "share dropped of what the softmax reads", Range{0, 0.99});
    v("precision", precision,
      "of the products: bf16 trains and runs with operands of half the size; int8 only runs");
  }

  /// The encoder over embeddings.
  RecurrentOptions encoder() const;
  /// The decoder, over inputs of decoder_input() numbers.
  RecurrentOptions decoder() const;
  /// Columns of the encoder's outputs: of the memory that attention reads.
  int64_t memory() const { return encoder().directions() * encoder().output(); }
  /// Columns of what the softmax reads.
  int64_t output() const { return tied ? embedding : hidden; }
  int64_t decoder_input() const;
  bool attends() const { return attention != AttentionKind::kNone; }
  /// Whether the decoder must go step by step in training too: an input depends on the step before.
  bool stepwise() const { return attention == AttentionKind::kBahdanau || input_feeding; }
  /// Columns of keys and queries.
  int64_t attention_size() const { return hidden; }
  /// Of the products outside the recurrent layers, which int8 is not for.
  Precision product_precision() const {
    return precision == Precision::kInt8 ? Precision::kFloat32 : precision;
  }
  /// Numbers that a network of these options has, for vocabularies of these sizes; in double, for hostile
  /// sizes overflow integers.
  double num_values(int64_t source, int64_t target) const;
  /// @throws ConfigError for options that do not fit together.
  void check() const;

 private:
  RecurrentOptions stack(int64_t units, int64_t count) const;
};

}  // namespace rondo
