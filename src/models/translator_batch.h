// Pairs of sentences as packed rows, for an encoder and a decoder.
//   TranslatorBatch batch = make_translator_batch(pairs, model.target.end());
//   batch.num_targets();   // tokens that are told, the ends included
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tensor/packing.h"

namespace rondo {

/// Ids of a sentence and of its translation, the target without its end.
struct TokenPair {
  std::vector<int32_t> source, target;
};

/// Sources as an encoder reads them.
struct PackedSources {
  Packing packing;
  std::vector<int32_t> ids;     ///< [R]
  std::vector<int32_t> places;  ///< packed sequence of each source in the caller's order
};
/// @param sources  ids with their end.
PackedSources pack_sources(std::span<const std::vector<int32_t>* const> sources);

/// Source and target are packed each by its own falling length.
struct TranslatorBatch {
  Packing source, target;
  std::vector<int32_t> source_ids;  ///< [Rs]
  std::vector<int32_t> inputs;      ///< [Rt] what the decoder reads: the end token, then the target
  std::vector<int32_t> targets;     ///< [Rt] what it tells: the target, then the end token
  std::vector<int32_t> sources;     ///< [N] packed source sequence of packed target sequence n

  int64_t num_targets() const { return target.num_rows(); }
  /// [Rt] packed source sequence of each target row.
  std::vector<int32_t> source_of_rows() const;
};

TranslatorBatch make_translator_batch(std::span<const TokenPair* const> pairs, int32_t end);

}  // namespace rondo
