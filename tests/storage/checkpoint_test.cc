#include "storage/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rondo/errors.h"
#include "test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

Checkpoint small_checkpoint() {
  return {
      .model = {.kind = "classifier",
                .config = {{"hidden", 4}},
                .labels = {"a", "b"},
                .vocabulary = {"<unk>", "word"},
                .tokenizer_model = "odd",
                .tensors = {{"linear.weight", counting({2, 3})}, {"linear.bias", counting({2})}}},
      .state = {{"step", 9'007'199'254'740'993}, {"best", 0.1 + 0.2}, {"history", {1.5, 1.25}}},
      .optimizer = {{"first/linear.weight", counting({2, 3})}, {"last_step", counting({3}, DType::kInt32)}},
      .best = {{"linear.weight", counting({2, 3})}},
      .average = {{"linear.weight", counting({3, 2})}},
      .task = {{"state", counting({2, 2, 3})}}};
}

TEST(Checkpoint, ComesBackAsItWasWritten) {
  const TestFolder folder;
  const Checkpoint checkpoint = small_checkpoint();
  write_checkpoint(folder.file("a"), checkpoint);
  const Checkpoint again = read_checkpoint(folder.file("a"));
  EXPECT_EQ(again.state, checkpoint.state);
  EXPECT_EQ(again.state["step"].get<int64_t>(), 9'007'199'254'740'993);
  EXPECT_EQ(again.state["best"].get<double>(), 0.1 + 0.2);
  EXPECT_EQ(again.model.kind, "classifier");
  EXPECT_EQ(again.model.config, checkpoint.model.config);
  EXPECT_EQ(again.model.labels, checkpoint.model.labels);
  EXPECT_EQ(again.model.vocabulary, checkpoint.model.vocabulary);
  EXPECT_EQ(again.model.tokenizer_model, checkpoint.model.tokenizer_model);
  EXPECT_TRUE(same(again.model.tensors, checkpoint.model.tensors));
  EXPECT_TRUE(same(again.optimizer, checkpoint.optimizer));
  EXPECT_TRUE(same(again.best, checkpoint.best));
  EXPECT_TRUE(same(again.average, checkpoint.average));
  EXPECT_TRUE(same(again.task, checkpoint.task));
  write_checkpoint(folder.file("b"), again);
  EXPECT_EQ(get_bytes(folder.file("a")), get_bytes(folder.file("b")));
}

TEST(Checkpoint, AndModelAreNotTakenForEachOther) {
  const TestFolder folder;
  write_checkpoint(folder.file("a"), small_checkpoint());
  EXPECT_THAT([&] { read_model_file(folder.file("a")); }, ThrowsMessage<FormatError>(HasSubstr("--resume")));
  write_model_file(folder.file("b"), small_checkpoint().model);
  EXPECT_THAT([&] { read_checkpoint(folder.file("b")); },
              ThrowsMessage<FormatError>(HasSubstr("not a checkpoint")));
}

TEST(Checkpoint, NumbersStandOnTheirNaturalAlignment) {
  const TestFolder folder;
  write_checkpoint(folder.file("a"), small_checkpoint());
  EXPECT_EQ(read_tensor_file(folder.file("a")).tensors.back().first, "tokenizer.model");
}

TEST(Checkpoint, CutOrAlteredIsAnError) {
  const TestFolder folder;
  write_checkpoint(folder.file("a"), small_checkpoint());
  const std::string whole = get_bytes(folder.file("a"));
  for (size_t length = 0; length < whole.size(); length += 97) {
    put_bytes(folder.file("b"), whole.substr(0, length));
    EXPECT_THAT([&] { read_checkpoint(folder.file("b")); }, ThrowsMessage<FormatError>(HasSubstr("is cut")));
  }
  std::string altered = whole;
  altered[whole.size() - 20] ^= 1;
  put_bytes(folder.file("b"), altered);
  EXPECT_THAT([&] { read_checkpoint(folder.file("b")); }, ThrowsMessage<FormatError>(HasSubstr("altered")));
}

}  // namespace
}  // namespace rondo
