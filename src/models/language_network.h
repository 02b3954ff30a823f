// From tokens to the probability of the token that follows each: embedding, recurrent stack, softmax.
//   LanguageNetwork network(options, vocabulary.size());  network.initialize(Stream(seed));
//   LanguagePass pass = network.forward(tape, chunk.inputs, chunk.packing, state);
//   Variable loss = network.loss(pass, chunk.targets, 1.0 / rows);
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "layers/embedding.h"
#include "layers/recurrent.h"
#include "layers/softmax_output.h"
#include "models/language_model_options.h"

namespace rondo {

/// What a pass over packed tokens gives.
struct LanguagePass {
  Packing packing;
  std::vector<int32_t> ids;            ///< [R]
  Variable raw;                        ///< [R, directions*P] outputs of the last layer
  Variable y;                          ///< the same behind their dropout: what the softmax reads
  RecurrentState final;                ///< in packed order
  std::vector<RecurrentTrace> traces;  ///< when the tape is tracing
  Variable embedded = {};              ///< [R, E] likewise: see observed()
};

/// Parameters: embedding.weight [V, E], those of the stack, decoder.* of SoftmaxOutput. One-hot: the table is
/// the identity and is not trained. Tied: the table is decoder.weight too.
///
/// Bidirectional (one layer): the second direction reads from each sequence's end and tells the token before,
/// through the same softmax. It is there for what begins from this model (Peters et al. 2018); losses() and
/// everything that scores or writes text is the first direction's.
class LanguageNetwork {
 public:
  LanguageNetwork(const LanguageModelOptions& options, int64_t vocabulary, DType type = DType::kFloat32);

  void initialize(const Stream& stream);

  /// @param ids  [R] packed.  @param state  of the sequences in packed order; none is zeros.
  LanguagePass forward(Tape& tape, std::span<const int32_t> ids, const Packing& packing,
                       const RecurrentState& state = {}) const;
  /// scale * sum over rows of -log p(targets[r]) -> [1]. Bidirectional: half of it, and half of the same of
  /// the second direction, whose targets are the ids one row earlier in each sequence.
  Variable loss(const LanguagePass& pass, std::vector<int32_t> targets, double scale) const;
  /// -log p(targets[r]) [R], without gradients.
  Tensor losses(const LanguagePass& pass, std::vector<int32_t> targets) const;

  /// Packs the weights for passes that neither record nor train: see ClassifierNetwork::prepare.
  void prepare(Backend& backend, Precision precision, int64_t max_table_bytes = 0);
  void forget_prepared() { prepared_.reset(); }

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const LanguageModelOptions& options() const { return options_; }
  int64_t vocabulary() const { return vocabulary_; }
  Embedding& embedding() { return embedding_; }
  const Embedding& embedding() const { return embedding_; }
  const RecurrentStack& recurrent() const { return recurrent_; }
  const SoftmaxOutput& output() const { return *output_; }
  /// The same network with its numbers as another type: complex128 for gradient checks.
  std::unique_ptr<LanguageNetwork> cast(DType type) const;

 private:
  Variable loss_backwards(const LanguagePass& pass, double scale) const;

  LanguageModelOptions options_;
  int64_t vocabulary_;
  ParameterSet parameters_;
  Embedding embedding_;
  RecurrentStack recurrent_;
  std::optional<SoftmaxOutput> output_;
  std::optional<PreparedStack> prepared_;
};

}  // namespace rondo
