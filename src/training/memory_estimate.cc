#include "training/memory_estimate.h"

#include <algorithm>

namespace rondo {

int64_t activation_bytes(const ClassifierOptions& options, int64_t rows, int64_t texts) {
  const RecurrentOptions& r = options.recurrent;
  const int64_t width = r.directions() * r.output();
  const int64_t cells = r.kind().has_cell_state() ? 1 : 0;
  const int64_t saved = r.directions() * r.hidden * (r.kind().saved_blocks() + cells);
  const int64_t embedding = options.embedding;
  // Numbers a row, in the order of the pass; a dropout keeps its result and its mask, a locked one a mask a
  // text.
  const int64_t dropped = r.locked_dropout ? 1 : 2;
  int64_t forward = embedding * (1 + (options.embedding_dropout > 0) + dropped * (r.input_dropout > 0));
  forward += r.layers * (width + saved) + (r.layers - 1) * dropped * width * (r.dropout > 0);
  const int64_t masks = embedding * (r.input_dropout > 0) + (r.layers - 1) * width * (r.dropout > 0);
  // Backward the top layer holds the gradients of its output and of its input; attention, before it, those of
  // its two hidden layers beside what it kept of them.
  const int64_t layer = width + (r.layers > 1 ? width : embedding);
  const int64_t attention = options.pool == PoolKind::kAttention ? 5 * width : 0;
  // The kernels' own, a row: states before each step, and the input packed for the gradient of its weights.
  const int64_t scratch = width + std::max(embedding, r.layers > 1 ? width : r.output());
  const int64_t pooled = (options.pool == PoolKind::kConcat ? 8 : 4) * width + r.layers * 2 * width;
  return 4 * (rows * (forward + std::max(layer, attention) + scratch) +
              texts * (pooled + masks * r.locked_dropout));
}

int64_t activation_bytes(const LanguageModelOptions& options, int64_t vocabulary, int64_t rows,
                         int64_t streams) {
  const RecurrentOptions& r = options.recurrent;
  const int64_t cells = r.kind().has_cell_state() ? 1 : 0;
  const int64_t embedding = r.input_dropout > 0 ? 3 * options.embedding_size(vocabulary) : 0;
  int64_t forward = embedding, widest = 0;
  for (int64_t layer = 0; layer < r.layers; ++layer) {
    const int64_t output = r.output_of(layer);
    forward += output + r.hidden_of(layer) * (r.kind().saved_blocks() + cells);
    if (layer > 0 && r.dropout > 0) forward += r.output_of(layer - 1);
    widest = std::max(widest, output);
  }
  const int64_t top = r.output_of(r.layers - 1);
  forward += 3 * top;  // dropped outputs, their gradient kept by the softmax, the gradient of the outputs
  // The softmax works on blocks of rows; the kernels keep states and a packed input beside.
  constexpr int64_t kLogits = int64_t{16} << 20;
  return 4 * (rows * (forward + 3 * widest) + streams * r.layers * 4 * widest) +
         std::min(kLogits, 8 * rows * vocabulary);
}

int64_t largest_batch(std::span<const std::vector<int32_t>> plan, std::span<const int64_t> lengths) {
  int64_t most = 0;
  for (const std::vector<int32_t>& batch : plan) {
    int64_t rows = 0;
    for (const int32_t example : batch) rows += lengths[example];
    most = std::max(most, rows);
  }
  return most;
}

}  // namespace rondo
