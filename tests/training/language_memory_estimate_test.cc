// What is estimated for a language model against what the pool held: one step, forward and backward.
#include <gtest/gtest.h>

#include "models/language_network.h"
#include "tensor/device.h"
#include "tensor/memory_pool.h"
#include "training/memory_estimate.h"

namespace rondo {
namespace {

constexpr int64_t kStreams = 16, kSteps = 100, kVocabulary = 1600;

/// Bytes that the pool held at most above what it held before.
int64_t held(const LanguageModelOptions& options) {
  const auto backend = open_device("cpu", 1);
  LanguageNetwork network(options, kVocabulary);
  network.initialize(Stream(1));
  const Packing packing(std::vector<int64_t>(kStreams, kSteps));
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < packing.num_rows(); ++i) ids.push_back(static_cast<int32_t>(i));
  MemoryPool& pool = MemoryPool::instance();
  pool.trim();
  const int64_t before = pool.used_bytes();
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(2)});
  tape.backward(network.loss(network.forward(tape, ids, packing), ids, 1.0 / (kStreams * kSteps)));
  int64_t gradients = 0;
  for (const Parameter& parameter : network.parameters().all()) gradients += parameter.gradient.bytes();
  return pool.peak_bytes() - before - gradients;
}

TEST(LanguageMemoryEstimate, HoldsWhatAStepHoldsAndLittleMore) {
  const LanguageModelOptions cases[] = {
      {},
      {.embedding = 256, .tied = true},
      {.recurrent = {.cell = Cell::kGru, .hidden = 192, .layers = 2}},
      {.embedding = 200,
       .recurrent = {.hidden = 320,
                     .layers = 3,
                     .last_hidden = 200,
                     .input_dropout = 0.4,
                     .dropout = 0.2,
                     .locked_dropout = true,
                     .weight_dropout = 0.5},
       .output_dropout = 0.4,
       .tied = true},
      {.embedding = 128, .embedding_dropout = 0.1, .recurrent = {.hidden = 256, .layers = 2, .dropout = 0.3}},
      {.recurrent = {.hidden = 256, .bidirectional = true}},
      {.recurrent = {.hidden = 256}, .adaptive = {"200", "800"}},
      {.embedding = 0, .recurrent = {.cell = Cell::kRnn, .hidden = 128}},
      {.recurrent = {.hidden = 512, .projection = 128}},
      {.recurrent = {.cell = Cell::kGrid, .hidden = 192, .layers = 3}},
      {.recurrent = {.cell = Cell::kGrid,
                     .hidden = 192,
                     .layers = 2,
                     .grid = {.tied_layers = true, .priority = Priority::kTime}}},
  };
  for (size_t i = 0; i < std::size(cases); ++i) {
    const auto truth = static_cast<double>(held(cases[i]));
    const auto told =
        static_cast<double>(activation_bytes(cases[i], kVocabulary, kStreams * kSteps, kStreams));
    // The estimate counts the kernels' own memory too, which the pool does not hold.
    EXPECT_GT(told, 0.95 * truth) << "case " << i;
    EXPECT_LT(told, 1.6 * truth) << "case " << i;
  }
}

TEST(PlanSegments, FindsTheLongestThatFits) {
  const LanguageModelOptions options{.embedding = 16, .recurrent = {.hidden = 16}};
  const Packing chunk(std::vector<int64_t>{900, 400, 100});
  const SegmentPlan whole = plan_segments(options, 20, chunk, int64_t{1} << 40);
  EXPECT_EQ(whole.steps, 900);
  const SegmentPlan less = plan_segments(options, 20, chunk, whole.bytes - 1);
  EXPECT_GT(less.steps, 0);
  EXPECT_LT(less.steps, 900);
  EXPECT_LT(less.bytes, whole.bytes);
  const SegmentPlan none = plan_segments(options, 20, chunk, 1);
  EXPECT_EQ(none.steps, 0);
  EXPECT_GT(none.bytes, 0);
  // States before each segment count: single steps are not what takes least.
  EXPECT_LT(none.bytes, 900 * 3 * 4 * 2 * 16);
  EXPECT_GT(plan_segments(options, 20, chunk, none.bytes).steps, 1);
}

}  // namespace
}  // namespace rondo
