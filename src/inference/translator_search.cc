#include "inference/translator_search.h"

#include <algorithm>
#include <cmath>

#include "tensor/tape.h"

namespace rondo {

namespace {

// log((e^a + e^b + ...) / count): the greatest is subtracted, for e^x overflows above 88.
float log_mean(std::span<const float* const> rows, size_t at) {
  float most = rows.front()[at];
  for (const float* row : rows) most = std::max(most, row[at]);
  if (!std::isfinite(most)) return most;
  double sum = 0;
  for (const float* row : rows) sum += std::exp(static_cast<double>(row[at]) - most);
  return static_cast<float>(most + std::log(sum / static_cast<double>(rows.size())));
}

float mean(std::span<const float* const> rows, size_t at) {
  double sum = 0;
  for (const float* row : rows) sum += row[at];
  return static_cast<float>(sum / static_cast<double>(rows.size()));
}

Tensor combined(const std::vector<Tensor>& tensors, float (*combine)(std::span<const float* const>, size_t)) {
  std::vector<const float*> values;
  for (const Tensor& tensor : tensors) values.push_back(tensor.data<float>());
  Tensor result(tensors.front().shape());
  const std::span<float> out = result.values<float>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = combine(values, i);
  return result;
}

}  // namespace

TranslatorSearch::TranslatorSearch(const TranslatorModel& model, Backend& backend,
                                   std::span<const std::vector<int32_t>> sources)
    : model_(&model), backend_(&backend) {
  std::vector<const std::vector<int32_t>*> all;
  for (const std::vector<int32_t>& source : sources) all.push_back(&source);
  PackedSources packed = pack_sources(all);
  place_ = std::move(packed.places);
  source_of_ = place_;
  if (sources.empty()) return;
  Tape tape(backend);
  memory_ = model.network->encode(tape, packed.ids, packed.packing);
  state_ = model.network->begin(memory_, source_of_);
}

int64_t TranslatorSearch::source_length(int64_t sentence) const {
  return memory_.packing.length(place_[static_cast<size_t>(sentence)]);
}

SearchStep TranslatorSearch::step(std::span<const int32_t> previous) {
  Tape tape(*backend_);
  DecoderStep next = model_->network->step(tape, memory_, state_, previous, source_of_);
  state_ = std::move(next.state);
  return {.log_probabilities = std::move(next.log_probabilities), .attention = std::move(next.attention)};
}

void TranslatorSearch::select(std::span<const int32_t> rows) {
  const std::vector<int32_t> before = std::move(source_of_);
  source_of_.clear();
  for (const int32_t row : rows) source_of_.push_back(before[static_cast<size_t>(row)]);
  state_ = TranslatorNetwork::select(state_, rows);
}

SearchStep EnsembleSearch::step(std::span<const int32_t> previous) {
  if (models_.size() == 1) return models_.front()->step(previous);
  std::vector<Tensor> probabilities, attentions;
  for (const auto& model : models_) {
    SearchStep next = model->step(previous);
    probabilities.push_back(std::move(next.log_probabilities));
    if (next.attention) attentions.push_back(std::move(next.attention));
  }
  SearchStep next{
      .log_probabilities = combined(probabilities, mean_ == EnsembleMean::kProbabilities ? log_mean : mean),
      .attention = {}};
  if (!attentions.empty()) next.attention = combined(attentions, mean);
  return next;
}

}  // namespace rondo
