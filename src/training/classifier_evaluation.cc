#include "training/classifier_evaluation.h"

#include <algorithm>
#include <cmath>

#include "data/batches.h"

namespace rondo {

namespace {

constexpr int64_t kBatch = 64;
constexpr double kSmallest = 1e-12;  // keeps a hopeless prediction's loss finite

struct Scored {
  std::span<const float> probabilities;
  std::span<const int32_t> labels;
  const Example& source;
};

void add_single(Metrics& metrics, const Scored& example) {
  const auto best = std::max_element(example.probabilities.begin(), example.probabilities.end());
  const auto predicted = static_cast<int32_t>(best - example.probabilities.begin());
  const int32_t truth = example.labels[0];
  if (truth == LabelSet::kUnseen) return metrics.add_unseen(example.source.labels[0], predicted);
  metrics.add(truth, predicted);
  metrics.add_loss(-std::log(std::max<double>(example.probabilities[truth], kSmallest)), 1);
}

void add_several(MultiLabelMetrics& metrics, const Scored& example) {
  std::vector<int32_t> truth, predicted;
  std::vector<std::string> unseen;
  for (size_t i = 0; i < example.labels.size(); ++i) {
    if (example.labels[i] == LabelSet::kUnseen) {
      unseen.push_back(example.source.labels[i]);
    } else {
      truth.push_back(example.labels[i]);
    }
  }
  double loss = 0;
  for (size_t k = 0; k < example.probabilities.size(); ++k) {
    const double p = example.probabilities[k];
    if (p > 0.5) predicted.push_back(static_cast<int32_t>(k));
    const bool has = std::find(truth.begin(), truth.end(), static_cast<int32_t>(k)) != truth.end();
    loss -= std::log(std::max(has ? p : 1 - p, kSmallest));
  }
  metrics.add(truth, predicted, unseen);
  metrics.add_loss(loss / static_cast<double>(example.probabilities.size()), 1);
}

// Texts of like length together, in batches of kBatch and of max_rows tokens at most (or of one text). A
// result is the same in any batch.
std::vector<std::vector<int32_t>> batches_of(const EncodedCorpus& encoded, int64_t max_rows) {
  std::vector<std::vector<int32_t>> batches;
  for (const auto& examples : plan_batches(encoded.lengths(), {.batch_size = kBatch, .shuffle = false})) {
    int64_t rows = 0;
    batches.emplace_back();
    for (const int32_t example : examples) {
      rows += encoded.length(example);
      if (rows > max_rows && !batches.back().empty()) {
        batches.emplace_back();
        rows = encoded.length(example);
      }
      batches.back().push_back(example);
    }
  }
  return batches;
}

// Calls add(Scored) for every text in the order of the corpus.
template <class Add>
void each_example(const ClassifierModel& model, Backend& backend, const EncodedCorpus& encoded,
                  const LabelledCorpus& corpus, int64_t max_rows, Add add) {
  const int64_t labels = model.labels.size();
  Tensor all({std::max<int64_t>(encoded.size(), 1), labels});
  for (const auto& examples : batches_of(encoded, max_rows)) {
    const Batch batch = make_batch(encoded, examples);
    const Tensor probabilities = predict_probabilities(model, backend, batch.ids, *batch.packing);
    for (size_t n = 0; n < batch.examples.size(); ++n) {
      std::copy_n(probabilities.data<float>() + n * labels, labels,
                  all.data<float>() + batch.examples[n] * labels);
    }
  }
  for (int64_t i = 0; i < encoded.size(); ++i) {
    const std::span<const float> row(all.data<float>() + i * labels, static_cast<size_t>(labels));
    add(Scored{row, encoded.labels_of(i), corpus.examples[i]});
  }
}

}  // namespace

Evaluation evaluate_classifier(const ClassifierModel& model, Backend& backend, const EncodedCorpus& encoded,
                               const LabelledCorpus& corpus, int64_t max_rows) {
  if (model.labels.multi()) {
    MultiLabelMetrics metrics(model.labels.names());
    each_example(model, backend, encoded, corpus, max_rows,
                 [&](const Scored& example) { add_several(metrics, example); });
    return metrics.evaluation();
  }
  Metrics metrics(model.labels.names());
  each_example(model, backend, encoded, corpus, max_rows,
               [&](const Scored& example) { add_single(metrics, example); });
  return metrics.evaluation();
}

}  // namespace rondo
