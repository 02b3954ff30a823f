// What a training will hold in memory, told before its first step.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/classifier_options.h"
#include "models/language_model_options.h"
#include "tensor/packing.h"

namespace rondo {

struct TaggerOptions;

/// Bytes that the tensors of one step take at most at once: the activations that the backward pass needs, the
/// gates among them, and the gradients on their way.
/// @param rows   tokens of the largest batch.
/// @param texts  of that batch.
int64_t activation_bytes(const ClassifierOptions& options, int64_t rows, int64_t texts);

/// The same of a language model.
/// @param rows     tokens of a chunk.
/// @param streams  side by side.
int64_t activation_bytes(const LanguageModelOptions& options, int64_t vocabulary, int64_t rows,
                         int64_t streams);

/// What a tagger's batch holds.
struct TaggerBatchSize {
  int64_t rows = 0, sentences = 0;    ///< words, and sentences of them
  int64_t words = 0, characters = 0;  ///< different words, and the characters of all of those
};
/// The same of a tagger.
int64_t activation_bytes(const TaggerOptions& options, int64_t labels, const TaggerBatchSize& batch);

struct SegmentPlan {
  int64_t steps = 0;  ///< of a segment; 0: not even one fits
  int64_t bytes = 0;  ///< what it takes, or where none fits the least that any takes
};
/// The longest segments of a chunk (recomputed_loss.h) that fit into `free` bytes: the activations of one
/// beside a state of each sequence before every segment.
SegmentPlan plan_segments(const LanguageModelOptions& options, int64_t vocabulary, const Packing& chunk,
                          int64_t free);

/// Tokens of the batch that has most of them.
int64_t largest_batch(std::span<const std::vector<int32_t>> plan, std::span<const int64_t> lengths);

}  // namespace rondo
