// What a word's characters say: the last states of an LSTM in both directions, or a convolution's maxima.
//   CharacterReader reader(set, options, characters, type);  Variable x = reader.forward(tape, words);
// Each different word of a batch is one packed sequence.
#pragma once

#include <optional>

#include "layers/convolution.h"
#include "layers/embedding.h"
#include "layers/recurrent.h"
#include "models/word_forms.h"

namespace rondo {

/// What a reader that is recurrent did with the words, when the tape is tracing. A word is a sequence, in
/// the order of the words.
struct CharacterPass {
  Packing packing;
  std::vector<RecurrentTrace> traces;
};

/// Parameters characters.embedding.weight, and characters.lstm.* or characters.conv.*.
/// Sources: Lample et al. 2016 (LSTM), Ma & Hovy 2016 (convolution, maximum over the word).
class CharacterReader {
 public:
  /// @param characters  size of their vocabulary, kUnknown and kEdge included.
  CharacterReader(ParameterSet& set, const TaggerOptions& options, int64_t characters, DType type);
  void initialize(const Stream& stream);

  /// [U, TaggerOptions::character_width()], in the order of the words. A word without characters gives
  /// zeros of the LSTM; of the convolution too.
  /// @param pass  gets what it did, or null.
  Variable forward(Tape& tape, const TaggerWords& words, CharacterPass* pass = nullptr) const;

  /// Packs the weights for passes that neither record nor train.
  void prepare(Backend& backend);
  void forget_prepared() { prepared_.reset(); }

  /// The recurrent layers, or null with a convolution.
  const RecurrentStack* recurrent() const { return recurrent_ ? &*recurrent_ : nullptr; }

  /// What stands before and behind a word, for the convolution.
  static constexpr int32_t kEdge = 1;
  static constexpr const char* kEdgeToken = "</w>";

 private:
  Variable last_states(Tape& tape, std::span<const int32_t> ids, const Packing& packing,
                       CharacterPass* pass) const;
  Variable maxima(Tape& tape, std::vector<int32_t> ids, const Packing& packing) const;

  TaggerOptions options_;
  Embedding embedding_;
  std::optional<RecurrentStack> recurrent_;
  std::optional<Convolution> convolution_;
  std::optional<PreparedStack> prepared_;
};

}  // namespace rondo
