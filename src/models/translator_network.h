// From a sentence's tokens to those of its translation: encoder, bridge, decoder with attention, softmax.
//   TranslatorPass pass = network.forward(tape, batch);                    // training: all steps at once
//   Variable loss = network.loss(pass, batch.targets, 1.0 / batch.num_targets(), /*smoothing=*/0.1);
//   TranslatorMemory memory = network.encode(tape, ids, packing);          // decoding: step by step
//   DecoderState state = network.begin(memory, rows);                      // rows[i]: packed source sequence
//   DecoderStep next = network.step(tape, memory, state, previous, rows);
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "layers/attention.h"
#include "layers/embedding.h"
#include "layers/linear.h"
#include "layers/softmax_output.h"
#include "models/decoder_state.h"
#include "models/translator_batch.h"
#include "models/translator_options.h"

namespace rondo {

/// What a pass over target tokens gives.
struct TranslatorPass {
  Variable y;        ///< [Rt, options().output()], behind its dropout: what the softmax reads
  Tensor attention;  ///< [Rt, longest source]: exactly 0 behind a source's end; empty without attention
  std::vector<RecurrentTrace> encoder = {}, decoder = {};  ///< when the tape is tracing
  /// Embeddings of the source [Rs, E] and of what the decoder reads [Rt, E], likewise: see observed().
  Variable source = {}, words = {};
};

/// A source, read.
struct TranslatorMemory {
  Packing packing;
  AttentionMemory attention;                ///< keys and values of its packed rows; empty without attention
  DecoderState initial;                     ///< a row a packed source sequence
  std::vector<RecurrentTrace> traces = {};  ///< of the encoder, when the tape is tracing
  Tensor embedded = {};                     ///< [R, E] likewise

  int64_t longest() const { return packing.sequences() > 0 ? packing.length(0) : 0; }
};

/// How the training pass differs from a plain one.
struct TranslatorSampling {
  double probability = 0;  ///< of an input that is the network's own best token of the step before
};

/// Parameters: encoder.embedding.weight [Vs, E] (unless joint and tied), encoder.lstm.*, bridge.h0.* and
/// bridge.c0.* (a layer each), attention.*, decoder.embedding.weight [Vt, E], decoder.lstm.*, readout.weight
/// [O, H + M] and .bias, output.decoder.weight [Vt, O] unless tied, output.decoder.bias. The decoder gives
/// tanh(W [h; context] + b): Luong's attentional vector.
/// Sources: Bahdanau, Cho & Bengio 2015; Luong, Pham & Manning 2015; Bengio et al. 2015 (sampling).
class TranslatorNetwork {
 public:
  /// @param source, target  sizes of the vocabularies; equal where options.joint.
  TranslatorNetwork(const TranslatorOptions& options, int64_t source, int64_t target,
                    DType type = DType::kFloat32);

  void initialize(const Stream& stream);

  /// The decoder over the whole target with its true tokens as input.
  TranslatorPass forward(Tape& tape, const TranslatorBatch& batch,
                         const TranslatorSampling& sampling = {}) const;
  /// scale * sum over rows of (1-smoothing) * -log p(targets[r]) + smoothing * mean over V of -log p -> [1].
  Variable loss(const TranslatorPass& pass, std::vector<int32_t> targets, double scale,
                double smoothing = 0) const;
  /// -log p(targets[r]) [Rt], without gradients.
  Tensor losses(const TranslatorPass& pass, std::span<const int32_t> targets) const;

  /// The source, on a tape that does not record. @param ids  [R] packed, the end token of each included.
  TranslatorMemory encode(Tape& tape, std::span<const int32_t> ids, const Packing& packing) const;
  /// A state for each row. @param source_of_row  packed source sequence of each row, in any order.
  DecoderState begin(const TranslatorMemory& memory, std::span<const int32_t> source_of_row) const;
  /// One token of each row further. A row's results do not depend on the other rows, bit for bit.
  /// @param previous  [N] the token before; the end token at the beginning.
  DecoderStep step(Tape& tape, const TranslatorMemory& memory, const DecoderState& state,
                   std::span<const int32_t> previous, std::span<const int32_t> source_of_row) const;
  /// Rows of a state, in this order, each as often as it stands there: what a beam keeps.
  static DecoderState select(const DecoderState& state, std::span<const int32_t> rows) {
    return select_rows(state, rows);
  }

  /// Packs the weights for passes that neither record nor train: see ClassifierNetwork::prepare.
  void prepare(Backend& backend, Precision precision);
  void forget_prepared();

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const TranslatorOptions& options() const { return options_; }
  const RecurrentStack& encoder() const { return *encoder_; }
  const RecurrentStack& decoder() const { return *decoder_; }
  int64_t source_vocabulary() const { return source_vocabulary_; }
  int64_t target_vocabulary() const { return target_vocabulary_; }
  /// The same network with its numbers as another type: complex128 for gradient checks.
  std::unique_ptr<TranslatorNetwork> cast(DType type) const;

 private:
  /// A source, read, on a tape.
  struct Encoded {
    RecurrentState initial;  ///< of the decoder, a row a packed source sequence
    AttentionKeys keys;      ///< empty without attention
    std::vector<RecurrentTrace> traces = {};
    Variable embedded = {};
  };
  /// Where the decoder stands.
  struct Decoded {
    RecurrentState state;
    Variable readout;                         ///< [Q, O]
    Tensor attention;                         ///< [Q, longest source]
    std::vector<RecurrentTrace> traces = {};  ///< of these rows
  };
  /// The rows that the decoder reads at once: one step, or all of them where none waits for another.
  struct DecoderRows {
    DistinctRows words;
    const Packing& packing;
    std::span<const int32_t> sources;  ///< [Q]
  };

  void add_bridge(DType type);
  Embedding& source_embedding() { return source_embedding_ ? *source_embedding_ : *target_embedding_; }
  const Embedding& source_embedding() const {
    return source_embedding_ ? *source_embedding_ : *target_embedding_;
  }
  /// Embeddings behind both their dropouts.
  DistinctRows embed(Tape& tape, const Embedding& embedding, std::span<const int32_t> ids,
                     const Packing& packing) const;
  Encoded read(Tape& tape, std::span<const int32_t> ids, const Packing& packing) const;
  RecurrentState bridge(Tape& tape, const RecurrentOutput& encoder, const Packing& packing) const;
  Decoded advance(Tape& tape, const Encoded& source, const Decoded& before, const DecoderRows& rows) const;
  TranslatorPass forward_steps(Tape& tape, const Encoded& source, const TranslatorBatch& batch,
                               double sampling) const;
  /// The inputs of a step, some of them in favour of the best tokens after `before`.
  std::vector<int32_t> sampled(std::span<const int32_t> inputs, const Decoded& before, double probability,
                               const Stream& stream) const;
  const PreparedStack* prepared(const Tape& tape, const std::optional<PreparedStack>& stack) const;

  TranslatorOptions options_;
  int64_t source_vocabulary_, target_vocabulary_;
  ParameterSet parameters_;
  std::optional<Embedding> source_embedding_;  ///< none: the target's
  std::optional<Embedding> target_embedding_;
  std::optional<RecurrentStack> encoder_, decoder_;
  std::vector<Linear> bridge_h_, bridge_c_;  ///< a layer of the decoder
  std::optional<Attention> attention_;
  std::optional<Linear> readout_;
  std::optional<SoftmaxOutput> output_;
  std::optional<PreparedStack> prepared_encoder_, prepared_decoder_;
};

}  // namespace rondo
