// A few texts of a corpus, cut short, whose gates are looked at: the same ones at every call.
//   const EncodedCorpus sample = gate_sample(dev, {.texts = 16, .steps = 64});
//   const Batch batch = make_batch(sample, all_examples(sample));
#pragma once

#include <vector>

#include "data/documents.h"
#include "data/encoded.h"
#include "models/translator_batch.h"

namespace rondo {

/// The default is about as much as a training batch.
struct SampleSize {
  int64_t texts = 16;  ///< at most, evenly spread over the corpus
  int64_t steps = 64;  ///< of each, from its beginning
};

/// Without labels and lines.
EncodedCorpus gate_sample(const EncodedCorpus& corpus, const SampleSize& size = {});
/// Of a text in few pieces, parts from everywhere: what their tokens are predicted from.
EncodedCorpus gate_sample(const TokenStream& stream, const SampleSize& size = {});
std::vector<TokenPair> gate_sample(const std::vector<TokenPair>& pairs, const SampleSize& size = {});

/// 0, 1, 2 ... size()-1.
std::vector<int32_t> all_examples(const EncodedCorpus& corpus);

}  // namespace rondo
