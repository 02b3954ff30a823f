// What is estimated against what the pool held: one step, forward and backward.
#include "training/memory_estimate.h"

#include <gtest/gtest.h>

#include "models/classifier_network.h"
#include "tensor/device.h"
#include "tensor/memory_pool.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

constexpr int64_t kTexts = 32, kTokens = 60;  // no word twice: those are held once

/// Bytes that the pool held at most above what it held before.
int64_t held(const ClassifierOptions& options) {
  const auto backend = open_device("cpu", 1);
  ClassifierNetwork network(options, /*vocabulary=*/kTexts * kTokens, /*labels=*/4);
  network.initialize(Stream(1));
  const Packing packing(std::vector<int64_t>(kTexts, kTokens));
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < packing.num_rows(); ++i) ids.push_back(static_cast<int32_t>(i));
  MemoryPool& pool = MemoryPool::instance();
  pool.trim();
  const int64_t before = pool.used_bytes();
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(2)});
  const Variable logits = network.forward(tape, ids, packing).logits;
  Tensor weights({kTexts});
  weights.fill(1.0 / kTexts);
  tape.backward(weighted_sum(softmax_cross_entropy(logits, std::vector<int32_t>(kTexts, 1)).losses, weights));
  int64_t gradients = 0;
  for (const Parameter& parameter : network.parameters().all()) gradients += parameter.gradient.bytes();
  return pool.peak_bytes() - before - gradients;
}

TEST(MemoryEstimate, HoldsWhatAStepHoldsAndLittleMore) {
  const ClassifierOptions cases[] = {
      {},
      {.pool = PoolKind::kAttention},
      {.embedding_dropout = 0, .recurrent = {.cell = Cell::kGru, .hidden = 64}, .pool = PoolKind::kFinal},
      {.recurrent = {.hidden = 96, .layers = 3, .bidirectional = true, .dropout = 0.2}},
      {.embedding = 200, .recurrent = {.cell = Cell::kRnn, .hidden = 80, .input_dropout = 0.5}},
      {.recurrent = {.hidden = 128, .projection = 32}, .pool = PoolKind::kConcat},
      {.recurrent = {.hidden = 96,
                     .layers = 3,
                     .last_hidden = 32,
                     .input_dropout = 0.5,
                     .dropout = 0.2,
                     .locked_dropout = true}},
      {.embedding = 40, .recurrent = {.hidden = 32, .layers = 2, .last_hidden = 160}},
      {.recurrent = {.hidden = 384, .layers = 2, .weight_dropout = 0.5}},
      {.recurrent = {.cell = Cell::kGrid, .hidden = 96, .layers = 4, .grid = {.tied_layers = true}}},
      {.recurrent = {.cell = Cell::kGrid,
                     .hidden = 64,
                     .layers = 3,
                     .bidirectional = true,
                     .grid = {.along_depth = Along::kTanh},
                     .input_dropout = 0.5,
                     .dropout = 0.2}},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    const auto truth = static_cast<double>(held(cases[i]));
    const auto told = static_cast<double>(activation_bytes(cases[i], kTexts * kTokens, kTexts));
    // The estimate counts the kernels' own memory too, which the pool does not hold.
    EXPECT_GT(told, 0.95 * truth) << "case " << i;
    EXPECT_LT(told, 1.5 * truth) << "case " << i;
  }
}

TEST(MemoryEstimate, LargestBatchIsTheOneOfMostTokens) {
  const std::vector<std::vector<int32_t>> plan = {{0, 1}, {2}, {3, 4, 5}};
  const std::vector<int64_t> lengths = {3, 4, 9, 2, 2, 2};
  EXPECT_EQ(largest_batch(plan, lengths), 9);
  EXPECT_EQ(largest_batch({}, lengths), 0);
}

}  // namespace
}  // namespace rondo
