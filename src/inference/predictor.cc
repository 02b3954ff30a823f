#include "inference/predictor.h"

#include <algorithm>
#include <numeric>

namespace rondo {

namespace {

constexpr size_t kBatch = 64;
// The table of all words' inputs costs as much as so many tokens, half a batch: one text alone must not pay
// more.
constexpr int64_t kTableWords = 1024;
constexpr int64_t kTableBytes = int64_t{64} << 20;

}  // namespace

Precision precision_of(Precision own, const InferenceOptions& options) {
  switch (options.precision) {
    case RunPrecision::kModel:
      break;
    case RunPrecision::kFloat32:
      return Precision::kFloat32;
    case RunPrecision::kBfloat16:
      return Precision::kBfloat16;
    case RunPrecision::kInt8:
      return Precision::kInt8;
  }
  return own;
}

void prepare(ClassifierModel& model, Backend& backend, const InferenceOptions& options) {
  const bool few_words = model.vocabulary.size() <= kTableWords;
  model.network->prepare(backend, precision_of(model.options().recurrent.precision, options),
                         few_words ? kTableBytes : 0);
}

std::shared_ptr<const PreparedStack> prepare_streams(const ClassifierModel& model, Backend& backend,
                                                     Precision precision) {
  const RecurrentStack& stack = model.network->recurrent();
  const Tensor& words = model.network->embedding().table().value;
  const bool table = stack.table_bytes(words.dim(0)) <= kTableBytes;
  return std::make_shared<PreparedStack>(
      stack.prepare(backend, precision, table ? words : Tensor(), /*streams=*/true));
}

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
