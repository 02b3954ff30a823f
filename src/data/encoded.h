// A corpus as numbers: what training and evaluation read.
//   EncodedCorpus corpus = encode(texts, tokenizer, vocabulary, labels, {.max_length = 400}, pool);
// numbered.h makes one of a file whose vocabulary is still to be found.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/threads.h"
#include "data/labelled.h"
#include "data/labels.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace rondo {

/// Example i is the ids offsets[i] .. offsets[i+1]-1 and the labels label_offsets[i] .. label_offsets[i+1]-1.
/// A text without tokens is an empty sequence; nothing is padded.
struct EncodedCorpus {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> labels;  ///< numbers in the LabelSet, or LabelSet::kUnseen
  std::vector<int64_t> label_offsets{0};
  std::vector<int64_t> lines;  ///< where each example began in its file
  int64_t unknown = 0;         ///< tokens that the vocabulary lacks
  int64_t truncated = 0;       ///< texts cut to max_length

  int64_t size() const { return static_cast<int64_t>(offsets.size()) - 1; }
  int64_t length(int64_t i) const { return offsets[i + 1] - offsets[i]; }
  std::vector<int64_t> lengths() const;
  std::span<const int32_t> sequence(int64_t i) const {
    return {ids.data() + offsets[i], static_cast<size_t>(length(i))};
  }
  std::span<const int32_t> labels_of(int64_t i) const {
    return {labels.data() + label_offsets[i], static_cast<size_t>(label_offsets[i + 1] - label_offsets[i])};
  }
};

struct EncodeOptions {
  int64_t max_length = 0;     ///< tokens of a text that are kept, the first ones; 0 keeps all
  bool allow_unseen = false;  ///< a label that the model lacks becomes kUnseen (evaluation: always wrong)
};

/// Numbers the tokens and labels of a corpus, on all threads; the result does not depend on how many.
/// @throws DataError `file:line: ...` for a label that `labels` lacks, unless allowed.
EncodedCorpus encode(const LabelledCorpus& corpus, const Tokenizer& tokenizer, const Vocabulary& vocabulary,
                     const LabelSet& labels, const EncodeOptions& options, ThreadPool& pool);

/// Adds the labels and the line of one example of `corpus`. @throws DataError as encode().
void add_labels(const LabelledCorpus& corpus, const Example& example, const LabelSet& labels,
                const EncodeOptions& options, EncodedCorpus& encoded);

}  // namespace rondo
