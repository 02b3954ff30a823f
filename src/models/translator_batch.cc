#include "models/translator_batch.h"

namespace rondo {

namespace {

// Place among the packed sequences of each sequence in the caller's order.
std::vector<int32_t> places(const Packing& packing) {
  std::vector<int32_t> result(packing.order().size());
  for (size_t n = 0; n < result.size(); ++n) {
    result[static_cast<size_t>(packing.order()[n])] = static_cast<int32_t>(n);
  }
  return result;
}

void pack_sources(std::span<const TokenPair* const> pairs, TranslatorBatch& batch) {
  const PackedRows rows = batch.source.rows();
  batch.source_ids.resize(static_cast<size_t>(rows.rows()));
  for (int64_t n = 0; n < rows.sequences; ++n) {
    const TokenPair& pair = *pairs[static_cast<size_t>(batch.source.order()[static_cast<size_t>(n)])];
    for (int64_t t = 0; t < batch.source.length(n); ++t) {
      batch.source_ids[static_cast<size_t>(rows.row(t, n))] = pair.source[static_cast<size_t>(t)];
    }
  }
}

void pack_targets(std::span<const TokenPair* const> pairs, int32_t end, TranslatorBatch& batch) {
  const PackedRows rows = batch.target.rows();
  batch.inputs.resize(static_cast<size_t>(rows.rows()));
  batch.targets.resize(batch.inputs.size());
  for (int64_t n = 0; n < rows.sequences; ++n) {
    const TokenPair& pair = *pairs[static_cast<size_t>(batch.target.order()[static_cast<size_t>(n)])];
    int32_t before = end;
    for (int64_t t = 0; t < batch.target.length(n); ++t) {
      const auto row = static_cast<size_t>(rows.row(t, n));
      const auto at = static_cast<size_t>(t);
      batch.inputs[row] = before;
      before = batch.targets[row] = at < pair.target.size() ? pair.target[at] : end;
    }
  }
}

}  // namespace

std::vector<int32_t> TranslatorBatch::source_of_rows() const {
  std::vector<int32_t> result;
  const PackedRows rows = target.rows();
  for (int64_t t = 0; t < rows.steps(); ++t) {
    result.insert(result.end(), sources.begin(), sources.begin() + rows.count(t));
  }
  return result;
}

TranslatorBatch make_translator_batch(std::span<const TokenPair* const> pairs, int32_t end) {
  std::vector<int64_t> source_lengths, target_lengths;
  for (const TokenPair* pair : pairs) {
    source_lengths.push_back(static_cast<int64_t>(pair->source.size()));
    target_lengths.push_back(static_cast<int64_t>(pair->target.size()) + 1);
  }
  TranslatorBatch batch;
  batch.source = Packing(source_lengths);
  batch.target = Packing(target_lengths);
  pack_sources(pairs, batch);
  pack_targets(pairs, end, batch);
  const std::vector<int32_t> place = places(batch.source);
  for (const int32_t pair : batch.target.order()) batch.sources.push_back(place[static_cast<size_t>(pair)]);
  return batch;
}

}  // namespace rondo
