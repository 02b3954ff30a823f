// From words to tags: each different word of a batch as numbers once (embedding, characters, casing), a
// recurrent stack over the sentences, scores, and a chain (CRF) or a softmax over them.
//   TaggerNetwork network(options, {.words = 5000, .characters = 80, .labels = {"O", "B-PER", "I-PER"}});
//   const TaggerBatchWords batch = distinct_words(forms, packed);
//   Variable scores = network.scores(tape, batch, packing);
//   Variable loss = network.loss(scores, targets, packing, 1.0 / rows);
//   std::vector<CrfPath> paths = network.decode(scores, packing);
#pragma once

#include <memory>
#include <optional>

#include "layers/crf.h"
#include "layers/embedding.h"
#include "layers/linear.h"
#include "layers/recurrent.h"
#include "models/character_reader.h"
#include "models/word_forms.h"

namespace rondo {

struct TaggerShape {
  int64_t words = 0;       ///< size of the vocabulary
  int64_t characters = 0;  ///< size of theirs
  std::vector<std::string> labels;
  DType type = DType::kFloat32;
};

/// What a pass over a batch gives.
struct TaggerPass {
  Variable scores;                     ///< [R, K]
  std::vector<RecurrentTrace> traces;  ///< when the tape is tracing
  CharacterPass characters;            ///< likewise, with characters lstm
  Variable features;                   ///< [R, input_size()] likewise: see observed()
};

/// Parameters: embedding.weight [V, E], characters.* (CharacterReader), casing.embedding.weight, those of the
/// stack, hidden.* of the tanh layer, linear.*, crf.*; what the options leave out is not there.
class TaggerNetwork {
 public:
  /// @throws ConfigError as TaggerOptions::check(), while the scheme is auto, or for labels that break it.
  TaggerNetwork(const TaggerOptions& options, TaggerShape shape);

  void initialize(const Stream& stream);

  /// Scores of all labels for each packed row [R, K].
  /// @param batch  batch.rows [R]. In training, words that are rare become unknown with word_dropout.
  Variable scores(Tape& tape, const TaggerBatchWords& batch, const Packing& packing) const {
    return forward(tape, batch, packing).scores;
  }
  TaggerPass forward(Tape& tape, const TaggerBatchWords& batch, const Packing& packing) const;
  /// scale * sum of -log p(targets of a sentence) -> [1]; of a softmax each row for itself, whatever the
  /// scheme. @throws DataError for targets that the scheme forbids (crf).
  Variable loss(const Variable& scores, std::vector<int32_t> targets, const Packing& packing,
                double scale) const;
  /// The best labels of each sentence, in the caller's order: chain().decode(), but of a softmax without a
  /// scheme the best of each row, ties to the lowest label.
  std::vector<CrfPath> decode(const Variable& scores, const Packing& packing) const;
  /// What chooses among sequences of labels: the CRF; of a softmax one whose transitions are zero, so that
  /// every row is by itself, as far as the scheme allows.
  const Crf& chain() const { return *chain_; }

  /// Packs the weights for passes that neither record nor train: see ClassifierNetwork::prepare.
  void prepare(Backend& backend, Precision precision);
  void forget_prepared();

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const TaggerOptions& options() const { return options_; }
  const TaggerShape& shape() const { return shape_; }
  const RecurrentStack& recurrent() const { return *recurrent_; }
  /// What reads characters, or null without.
  const CharacterReader* characters() const { return characters_ ? &*characters_ : nullptr; }
  /// The word embeddings, or null without.
  Parameter* word_table() { return embedding_ ? &embedding_->table() : nullptr; }
  /// The same network with its numbers as another type: complex128 for gradient checks.
  std::unique_ptr<TaggerNetwork> cast(DType type) const;

 private:
  Variable features(Tape& tape, const TaggerWords& words, CharacterPass& pass) const;
  std::vector<int32_t> dropped(Tape& tape, const TaggerWords& words) const;

  TaggerOptions options_;
  TaggerShape shape_;
  ParameterSet parameters_, fixed_;  ///< fixed: the zero transitions of a softmax
  std::optional<Embedding> embedding_;
  std::optional<CharacterReader> characters_;
  std::optional<Embedding> casing_;
  std::optional<RecurrentStack> recurrent_;
  std::optional<Linear> hidden_, linear_;
  std::optional<Crf> chain_;
  std::optional<PreparedStack> prepared_;
};

}  // namespace rondo
