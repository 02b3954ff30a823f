#include "training/memory_estimate.h"

#include <algorithm>

#include "layers/linear_cross_entropy.h"
#include "models/tagger_options.h"

namespace rondo {

namespace {

// Numbers a row, a text and beside them that a recurrent stack over the embeddings holds at most at once.
struct StackNumbers {
  int64_t row = 0, text = 0, weights = 0;
};

// The same of a grid, whose layers keep for each dimension gates, h and m of every row (depth's twice: as the
// last state of a row they are results of their own), and the weights as slices with their gradients.
StackNumbers grid_numbers(const RecurrentOptions& r, int64_t embedding, int64_t first, int64_t above) {
  const int64_t H = r.directions() * r.hidden;
  const int64_t depth = kind_along(r.grid.along_depth, r.grid.output_gate).saved_blocks() + 4;
  int64_t time = r.grid.dimensions() > 1 ? r.kind().saved_blocks() + 2 : 0;
  // Step by step: states are gathered for each step, stacked behind those before it, and put back in order.
  if (r.grid.priority == Priority::kTime) time += 14;
  const int64_t dropped = 2 * H * (r.dropout > 0) * (r.layers - 1) + 2 * embedding * (r.input_dropout > 0);
  const int64_t kept = first + (r.layers * (depth + time) + 4) * H + dropped;
  const int64_t blocks = (r.grid.tied_layers ? 1 : r.layers) * r.directions();
  return {.row = kept + std::max<int64_t>(6 * H, above),
          .text = 4 * H * r.layers,
          .weights = 2 * blocks * static_cast<int64_t>(block_values(r.grid, r.hidden))};
}

// @param above  a row, of what stands on the top layer while it runs backward.
StackNumbers stack_numbers(const RecurrentOptions& r, int64_t embedding, int64_t first, int64_t above) {
  if (r.is_grid()) return grid_numbers(r, embedding, first, above);
  StackNumbers most;
  int64_t kept = first;  // what the backward pass of this layer and of those below needs, a row
  for (int64_t layer = 0; layer < r.layers; ++layer) {
    const int64_t input = r.input_of(layer, embedding);
    const int64_t width = r.directions() * r.output_of(layer);
    const double dropout = layer == 0 ? r.input_dropout : r.dropout;
    // A dropout keeps its result and its mask, a locked one a mask a text.
    kept += input * (dropout > 0) * (r.locked_dropout ? 1 : 2);
    most.text += input * (dropout > 0) * r.locked_dropout + 2 * width;
    kept +=
        width + r.directions() * r.hidden_of(layer) * (r.kind().saved_blocks() + r.kind().has_cell_state());
    // Dropped weights: their mask, what it leaves of them, and the gradient of that.
    const int64_t recurrent = r.directions() * r.kind().blocks() * r.hidden_of(layer) * r.output_of(layer);
    most.weights += 3 * recurrent * (r.weight_dropout > 0);
    // Backward a layer holds the gradients of its output and of its input. The kernels' own: states before
    // each step, and the input packed for the gradient of its weights.
    const int64_t gradients = std::max(width + input, layer + 1 == r.layers ? above : 0);
    most.row = std::max(most.row, kept + gradients + width + std::max(input, r.output_of(layer)));
  }
  return most;
}

// Columns of the widest softmax: of all tokens, or of the head or a tail of an adaptive one.
int64_t widest_softmax(const LanguageModelOptions& options, int64_t vocabulary) {
  std::vector<int64_t> ends = options.cutoffs();
  if (ends.empty()) return vocabulary;
  int64_t widest = ends[0] + static_cast<int64_t>(ends.size());
  ends.push_back(vocabulary);
  for (size_t i = 0; i + 1 < ends.size(); ++i) widest = std::max(widest, ends[i + 1] - ends[i]);
  return widest;
}

}  // namespace

int64_t activation_bytes(const ClassifierOptions& options, int64_t rows, int64_t texts) {
  const RecurrentOptions& r = options.recurrent;
  const int64_t width = r.directions() * r.output();
  const int64_t embedded = options.embedding * (1 + (options.embedding_dropout > 0));
  // Before the top layer runs backward, attention holds the gradients of its two hidden layers beside what it
  // kept of them.
  const int64_t attention = options.pool == PoolKind::kAttention ? 5 * width : 0;
  const StackNumbers stack = stack_numbers(r, options.embedding, embedded, attention);
  const int64_t pooled = (options.pool == PoolKind::kConcat ? 8 : 4) * width;
  return 4 * (rows * stack.row + texts * (stack.text + pooled) + stack.weights);
}

int64_t activation_bytes(const LanguageModelOptions& options, int64_t vocabulary, int64_t rows,
                         int64_t streams) {
  const RecurrentOptions& r = options.recurrent;
  const int64_t embedding = options.embedding_size(vocabulary);
  const int64_t width = r.directions() * r.output();
  const int64_t dropped = options.output_dropout > 0 ? 1 : 0;
  // Unit vectors want no gradient: they are read where they stand.
  const bool copied = !options.one_hot() || r.input_dropout > 0;
  const StackNumbers stack = stack_numbers(r, copied ? embedding : 0, 0, 0);
  // Each token's vector stands once; dropped ones beside their mask.
  const int64_t vectors = std::min(rows, vocabulary) * embedding * (1 + (options.embedding_dropout > 0));
  // The softmax keeps the gradient of its input, and works on blocks of rows.
  const int64_t outputs = rows * width * (1 + dropped) + streams * width * (4 + dropped);
  return 4 * (rows * stack.row + streams * stack.text + stack.weights + vectors + outputs) +
         std::min(kLogitBytes, 4 * rows * widest_softmax(options, vocabulary));
}

namespace {

// Numbers that the forward pass keeps of a different word beside its characters, and of each of those.
struct WordNumbers {
  int64_t word = 0, character = 0;
};

WordNumbers word_numbers(const TaggerOptions& options) {
  // Each embedding once as it is looked up and once in the order of the words, then all parts side by side.
  WordNumbers kept{.word = 2 * (options.embedding + options.casing) + options.input_size()};
  const int64_t units = options.units();
  if (options.characters == CharacterPart::kLstm) {
    const RecurrentOptions r = options.character_recurrent();
    kept.word += 2 * r.directions() * (units + units);  // final states, side by side, and in order
    kept.character = r.directions() * units * (r.kind().saved_blocks() + 2);
  } else if (options.characters == CharacterPart::kCnn) {
    kept.word += 4 * units;                                       // maxima, their places, tanh, and in order
    kept.character = units * (2 * options.character_window - 1);  // what each place gives, and sums of them
  }
  return kept;
}

}  // namespace

int64_t activation_bytes(const TaggerOptions& options, int64_t labels, const TaggerBatchSize& batch) {
  const RecurrentOptions& r = options.recurrent;
  const int64_t width = r.directions() * r.output();
  // A mask a row needs a row a place; without one the layers read each different word where it stands.
  const int64_t gathered = r.input_dropout > 0 ? options.input_size() : 0;
  const int64_t dropped = options.output_dropout > 0 ? (r.locked_dropout ? 3 : 4) * width : width;
  const StackNumbers stack = stack_numbers(r, options.input_size(), gathered, dropped);
  const WordNumbers words = word_numbers(options);
  return 4 * (batch.rows * (stack.row + 2 * labels + 2 * options.tanh) + batch.sentences * stack.text +
              stack.weights + batch.words * words.word + batch.characters * words.character);
}

SegmentPlan plan_segments(const LanguageModelOptions& options, int64_t vocabulary, const Packing& chunk,
                          int64_t free) {
  const RecurrentOptions& r = options.recurrent;
  int64_t state = 0;
  for (int64_t layer = 0; layer < r.layers; ++layer) {
    state += 4 * (r.state_of(layer) + r.cell_state_of(layer));
  }
  const PackedRows rows = chunk.rows();
  SegmentPlan plan, least;
  for (int64_t steps = 1; steps <= rows.steps(); ++steps) {
    const int64_t segments = (rows.steps() + steps - 1) / steps;
    const int64_t kept = segments > 1 ? segments * chunk.sequences() * state : 0;
    // Sequences end, none begins: the first segment has most rows.
    const int64_t bytes =
        kept + activation_bytes(options, vocabulary, rows.offsets[steps], chunk.sequences());
    if (least.bytes == 0 || bytes < least.bytes) least.bytes = bytes;
    if (bytes <= free) plan = {.steps = steps, .bytes = bytes};
  }
  return plan.steps > 0 ? plan : least;
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
