#include "models/gate_sample.h"

#include <algorithm>
#include <numeric>

namespace rondo {

namespace {

// Numbers of `count` things at most, evenly spread over `size`.
std::vector<int64_t> spread(int64_t size, int64_t count) {
  std::vector<int64_t> chosen;
  const int64_t kept = std::min(size, count);
  for (int64_t i = 0; i < kept; ++i) chosen.push_back(i * size / kept);
  return chosen;
}

void cut(std::vector<int32_t>& ids, int64_t steps) {
  ids.resize(std::min(ids.size(), static_cast<size_t>(steps)));
}

}  // namespace

EncodedCorpus gate_sample(const EncodedCorpus& corpus, const SampleSize& size) {
  EncodedCorpus sample;
  for (const int64_t i : spread(corpus.size(), size.texts)) {
    const auto ids = corpus.sequence(i).first(static_cast<size_t>(std::min(corpus.length(i), size.steps)));
    sample.ids.insert(sample.ids.end(), ids.begin(), ids.end());
    sample.offsets.push_back(static_cast<int64_t>(sample.ids.size()));
  }
  return sample;
}

EncodedCorpus gate_sample(const TokenStream& stream, const SampleSize& size) {
  EncodedCorpus sample;
  // Long pieces count several times: a place in the stream leads to the piece that it lies in.
  for (const int64_t place : spread(stream.size(), size.texts)) {
    const auto after = std::upper_bound(stream.offsets.begin(), stream.offsets.end(), place);
    const int64_t piece = after - stream.offsets.begin() - 1;
    const int64_t first = place - stream.offsets[static_cast<size_t>(piece)];
    const int64_t end = std::min(stream.length(piece), first + size.steps);
    for (int64_t t = first; t < end; ++t) sample.ids.push_back(stream.input(piece, t));
    sample.offsets.push_back(static_cast<int64_t>(sample.ids.size()));
  }
  return sample;
}

std::vector<TokenPair> gate_sample(const std::vector<TokenPair>& pairs, const SampleSize& size) {
  std::vector<TokenPair> sample;
  for (const int64_t i : spread(static_cast<int64_t>(pairs.size()), size.texts)) {
    sample.push_back(pairs[static_cast<size_t>(i)]);
    cut(sample.back().source, size.steps);
    cut(sample.back().target, size.steps);
  }
  return sample;
}

std::vector<int32_t> all_examples(const EncodedCorpus& corpus) {
  std::vector<int32_t> all(static_cast<size_t>(corpus.size()));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

}  // namespace rondo
