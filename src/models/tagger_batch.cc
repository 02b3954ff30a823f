#include "models/tagger_batch.h"

#include "data/batches.h"

namespace rondo {

TaggerBatch make_tagger_batch(const WordForms& forms, const EncodedCorpus& corpus,
                              std::span<const int32_t> examples) {
  Batch batch = make_batch(corpus, examples);
  return {.packing = std::move(batch.packing),
          .words = distinct_words(forms, batch.ids),
          .examples = std::move(batch.examples)};
}

std::vector<int32_t> packed_labels(const EncodedCorpus& corpus, const TaggerBatch& batch) {
  const Packing& packing = *batch.packing;
  std::vector<int32_t> labels(static_cast<size_t>(packing.num_rows()));
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const std::span<const int32_t> own = corpus.labels_of(batch.examples[static_cast<size_t>(n)]);
    for (int64_t t = 0; t < packing.length(n); ++t) {
      labels[static_cast<size_t>(packing.rows().row(t, n))] = own[static_cast<size_t>(t)];
    }
  }
  return labels;
}

std::vector<std::vector<int32_t>> batches_of_like_length(std::span<const int64_t> lengths, int64_t max_rows) {
  constexpr int64_t kBatch = 64;
  std::vector<std::vector<int32_t>> batches;
  for (const auto& examples : plan_batches(lengths, {.batch_size = kBatch, .shuffle = false})) {
    int64_t rows = 0;
    batches.emplace_back();
    for (const int32_t example : examples) {
      const int64_t length = lengths[static_cast<size_t>(example)];
      rows += length;
      if (rows > max_rows && !batches.back().empty()) {
        batches.emplace_back();
        rows = length;
      }
      batches.back().push_back(example);
    }
  }
  return batches;
}

}  // namespace rondo
