#include "models/translator_batch.h"

#include <utility>

namespace rondo {

namespace {

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

PackedSources pack_sources(std::span<const std::vector<int32_t>* const> sources) {
  std::vector<int64_t> lengths;
  for (const std::vector<int32_t>* source : sources) lengths.push_back(static_cast<int64_t>(source->size()));
  PackedSources packed{.packing = Packing(lengths), .ids = {}, .places = {}};
  packed.ids.resize(static_cast<size_t>(packed.packing.num_rows()));
  packed.places.resize(sources.size());
  for (int64_t n = 0; n < packed.packing.sequences(); ++n) {
    const auto number = static_cast<size_t>(packed.packing.order()[static_cast<size_t>(n)]);
    packed.places[number] = static_cast<int32_t>(n);
    for (int64_t t = 0; t < packed.packing.length(n); ++t) {
      packed.ids[static_cast<size_t>(packed.packing.rows().row(t, n))] =
          (*sources[number])[static_cast<size_t>(t)];
    }
  }
  return packed;
}

std::vector<int32_t> TranslatorBatch::source_of_rows() const {
  std::vector<int32_t> result;
  const PackedRows rows = target.rows();
  for (int64_t t = 0; t < rows.steps(); ++t) {
    result.insert(result.end(), sources.begin(), sources.begin() + rows.count(t));
  }
  return result;
}

TranslatorBatch make_translator_batch(std::span<const TokenPair* const> pairs, int32_t end) {
  std::vector<const std::vector<int32_t>*> sources;
  std::vector<int64_t> target_lengths;
  for (const TokenPair* pair : pairs) {
    sources.push_back(&pair->source);
    target_lengths.push_back(static_cast<int64_t>(pair->target.size()) + 1);
  }
  PackedSources packed = pack_sources(sources);
  TranslatorBatch batch;
  batch.source = std::move(packed.packing);
  batch.source_ids = std::move(packed.ids);
  batch.target = Packing(target_lengths);
  pack_targets(pairs, end, batch);
  for (const int32_t pair : batch.target.order()) {
    batch.sources.push_back(packed.places[static_cast<size_t>(pair)]);
  }
  return batch;
}

}  // namespace rondo
