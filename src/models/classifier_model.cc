#include "models/classifier_model.h"

namespace rondo {

std::vector<int32_t> ClassifierModel::encode(std::string_view text) const {
  std::vector<int32_t> ids = vocabulary.ids(tokenizer->tokens(text));
  const auto limit = static_cast<size_t>(options().max_length);
  if (limit > 0 && ids.size() > limit) ids.resize(limit);
  return ids;
}

Tensor probabilities_of(const ClassifierModel& model, Backend& backend, const Variable& logits) {
  Tensor probabilities(logits.shape());
  if (model.labels.multi()) {
    backend.sigmoid_cross_entropy(logits.matrix(), {}, probabilities.matrix(), {});
  } else {
    backend.softmax_cross_entropy(logits.matrix(), {}, probabilities.matrix(), {});
  }
  return probabilities;
}

Tensor predict_probabilities(const ClassifierModel& model, Backend& backend, std::span<const int32_t> ids,
                             const Packing& packing) {
  Tape tape(backend);
  return probabilities_of(model, backend, model.network->forward(tape, ids, packing).logits);
}

Tensor predict_probabilities(const ClassifierModel& model, Backend& backend,
                             std::span<const std::vector<int32_t>> sequences) {
  std::vector<int64_t> lengths;
  for (const auto& sequence : sequences) lengths.push_back(static_cast<int64_t>(sequence.size()));
  const Packing packing(lengths);
  std::vector<int32_t> ids(packing.num_rows());
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const std::vector<int32_t>& sequence = sequences[packing.order()[n]];
    for (int64_t t = 0; t < packing.length(n); ++t) ids[packing.rows().row(t, n)] = sequence[t];
  }
  const Tensor packed = predict_probabilities(model, backend, ids, packing);
  Tensor probabilities(packed.shape());
  const int64_t labels = packed.dim(1);
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const float* source = packed.data<float>() + n * labels;
    std::copy(source, source + labels, probabilities.data<float>() + packing.order()[n] * labels);
  }
  return probabilities;
}

}  // namespace rondo
