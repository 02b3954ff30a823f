#include "inference/predictor.h"

#include <algorithm>
#include <numeric>

namespace rondo {

namespace {

constexpr size_t kBatch = 64;

}  // namespace

Tensor predict_texts(const ClassifierModel& model, Backend& backend, std::span<const std::string> texts) {
  std::vector<std::vector<int32_t>> sequences(texts.size());
  backend.threads().split(static_cast<int64_t>(texts.size()), 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sequences[i] = model.encode(texts[i]);
  });
  std::vector<size_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sequences[a].size() < sequences[b].size(); });

  const int64_t labels = model.labels.size();
  Tensor all({static_cast<int64_t>(texts.size()), labels});
  for (size_t begin = 0; begin < order.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, order.size() - begin);
    std::vector<std::vector<int32_t>> batch;
    for (size_t i = 0; i < count; ++i) batch.push_back(std::move(sequences[order[begin + i]]));
    const Tensor probabilities = predict_probabilities(model, backend, batch);
    for (size_t i = 0; i < count; ++i) {
      std::copy_n(probabilities.data<float>() + static_cast<int64_t>(i) * labels, labels,
                  all.data<float>() + static_cast<int64_t>(order[begin + i]) * labels);
    }
  }
  return all;
}

std::vector<int32_t> largest(std::span<const float> values, size_t k) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return values[a] > values[b]; });
  order.resize(std::min(k, order.size()));
  return order;
}

}  // namespace rondo
