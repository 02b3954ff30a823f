// A text classifier whole: tokenizer, vocabulary, labels and network; text in, probabilities out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/labels.h"
#include "models/classifier_network.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace rondo {

struct ClassifierModel {
  std::unique_ptr<Tokenizer> tokenizer;
  Vocabulary vocabulary;
  LabelSet labels;
  std::unique_ptr<ClassifierNetwork> network;

  const ClassifierOptions& options() const { return network->options(); }
  /// Token ids of a text, cut to max_length.
  std::vector<int32_t> encode(std::string_view text) const;
};

/// probabilities[n, k] of sequences in the caller's order: softmax, or sigmoid where a text may have several
/// labels. A result is the same bits alone and in any batch.
Tensor predict_probabilities(const ClassifierModel& model, Backend& backend,
                             std::span<const std::vector<int32_t>> sequences);

/// What logits [N, K] say.
Tensor probabilities_of(const ClassifierModel& model, Backend& backend, const Variable& logits);

/// The same of packed ids, in packed order [N, K].
Tensor predict_probabilities(const ClassifierModel& model, Backend& backend, std::span<const int32_t> ids,
                             const Packing& packing);

}  // namespace rondo
