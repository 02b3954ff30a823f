// From packed token ids to scores of labels: embedding, recurrent stack, pooling, linear.
//   ClassifierNetwork network(options, vocabulary.size(), labels.size());  network.initialize(Stream(seed));
//   Variable logits = network.logits(tape, batch.ids, *batch.packing);   // [N, K], packed order
#pragma once

#include <memory>
#include <optional>
#include <span>

#include "layers/embedding.h"
#include "layers/linear.h"
#include "layers/pooling.h"
#include "layers/recurrent.h"
#include "models/classifier_options.h"

namespace rondo {

/// What a pass over a batch gives.
struct ClassifierPass {
  Variable logits;                     ///< [N, K], packed order
  std::vector<RecurrentTrace> traces;  ///< when the tape is tracing
  Variable embedded;                   ///< [R, E] likewise: see observed()
  Tensor attention;                    ///< [R, 1] with pool attention
};

class ClassifierNetwork {
 public:
  ClassifierNetwork(const ClassifierOptions& options, int64_t vocabulary, int64_t labels,
                    DType type = DType::kFloat32);

  void initialize(const Stream& stream);
  ClassifierPass forward(Tape& tape, std::span<const int32_t> ids, const Packing& packing) const;

  /// Packs the weights as they are now: from here on, passes on this backend that neither record nor train
  /// run in this precision with them, and with the table of the first layer's inputs of all words where that
  /// is at most `max_table_bytes`. The same bits as without. Call it again after the parameters changed.
  void prepare(Backend& backend, Precision precision, int64_t max_table_bytes = 0);

  ParameterSet& parameters() { return parameters_; }
  const ParameterSet& parameters() const { return parameters_; }
  const ClassifierOptions& options() const { return options_; }
  Embedding& embedding() { return embedding_; }
  const Embedding& embedding() const { return embedding_; }
  const RecurrentStack& recurrent() const { return recurrent_; }
  const Linear& linear() const { return *linear_; }
  int64_t labels() const { return labels_; }
  /// The same network with its numbers as another type: complex128 for gradient checks.
  std::unique_ptr<ClassifierNetwork> cast(DType type) const;

 private:
  int64_t pooled_size() const;
  const PreparedStack* prepared_for(const Tape& tape) const;
  RecurrentInput recurrent_input(Tape& tape, std::span<const int32_t> ids) const;
  Variable pooled(const RecurrentOutput& output, const Packing& packing, Precision precision,
                  ClassifierPass& pass) const;

  ClassifierOptions options_;
  int64_t vocabulary_;
  int64_t labels_;
  ParameterSet parameters_;
  Embedding embedding_;
  RecurrentStack recurrent_;
  std::optional<AttentionPooling> attention_;
  std::optional<Linear> linear_;
  std::optional<PreparedStack> prepared_;
};

}  // namespace rondo
