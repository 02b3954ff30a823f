// Rows of an embedding table that an optimiser has left behind, where a chunk is read twice.
#include <gtest/gtest.h>

#include "tensor/device.h"
#include "training/recomputed_loss.h"

namespace rondo {
namespace {

TEST(RecomputedLoss, BringsRowsUpToDateBeforeItsFirstPass) {
  LanguageNetwork network({.embedding = 3, .recurrent = {.hidden = 4}}, 6);
  network.initialize(Stream(1));
  const auto backend = open_device("cpu", 1);
  auto chunk = std::make_shared<StreamChunk>();
  chunk->packing = Packing(std::vector<int64_t>{4});
  chunk->inputs = {1, 2, 3, 4};
  chunk->targets = {2, 3, 4, 5};
  std::vector<int32_t> read;
  network.embedding().table().before_read = [&](std::span<const int32_t> rows) {
    read.insert(read.end(), rows.begin(), rows.end());
  };
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(2)});
  const RecomputedLoss result = recomputed_loss(tape, network, {.chunk = chunk, .steps = 2}, {});
  EXPECT_EQ(read, (std::vector<int32_t>{1, 2, 3, 4}));
  tape.backward(result.loss);
  network.embedding().table().before_read = nullptr;
}

}  // namespace
}  // namespace rondo
