// Sentences side by side for a tagger's network. A corpus here holds numbers of word forms (word_forms.h)
// as ids, and a label for each of them.
//   for (const auto& examples : batches_of_like_length(corpus.lengths(), 8192)) {
//     const TaggerBatch batch = make_tagger_batch(forms, corpus, examples);
//     network.scores(tape, batch.words, *batch.packing); }
#pragma once

#include <memory>

#include "data/encoded.h"
#include "models/word_forms.h"
#include "tensor/packing.h"

namespace rondo {

struct TaggerBatch {
  std::shared_ptr<const Packing> packing;
  TaggerBatchWords words;
  std::vector<int32_t> examples;  ///< [N] number in the corpus of packed sentence n
};

TaggerBatch make_tagger_batch(const WordForms& forms, const EncodedCorpus& corpus,
                              std::span<const int32_t> examples);
/// The label of each packed row [R].
std::vector<int32_t> packed_labels(const EncodedCorpus& corpus, const TaggerBatch& batch);

/// Every sentence once: like lengths together, 64 sentences and `max_rows` words at most, or one sentence.
std::vector<std::vector<int32_t>> batches_of_like_length(std::span<const int64_t> lengths, int64_t max_rows);

}  // namespace rondo
