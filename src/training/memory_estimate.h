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

/// The same of a tagger, if no word of the batch repeats.
/// @param rows       words of the largest batch.
/// @param sentences  of that batch.
int64_t activation_bytes(const TaggerOptions& options, int64_t labels, int64_t rows, int64_t sentences);

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
