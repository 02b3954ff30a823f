// --subwords: a SentencePiece model trained on the input and kept in the model file.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "rondo/errors.h"
#include "storage/classifier_file.h"
#include "storage/test_files.h"
#include "tensor/device.h"
#include "training/train_classifier.h"

namespace rondo {
namespace {

ClassifierTask small_task(const TestFolder& folder) {
  std::ofstream rows(folder.file("train.csv"));
  rows << "label,text\n";
  for (int i = 0; i < 80; ++i) {
    rows << (i % 2 ? "music,the rondo returns in episode " : "news,the minister returned in week ") << i
         << "\n";
  }
  ClassifierTask task;
  task.files.input = folder.file("train.csv");
  task.files.output = folder.file("a.rondo");
  task.model.embedding = task.model.recurrent.hidden = 4;
  task.model.tokenizer = TokenizerKind::kSentencePiece;
  task.corpus.subwords = 38;
  task.loop.after = "2e";
  return task;
}

void train(const ClassifierTask& task, int threads) {
  TrainingObserver silent;
  train_classifier(task, *open_device("cpu", threads), silent);
}

TEST(Subwords, AreTrainedOnTheInputAndStoredInTheModel) {
  const TestFolder folder;
  ClassifierTask task = small_task(folder);
  train(task, 1);
  const ClassifierModel model = load_classifier(task.files.output);
  EXPECT_EQ(model.vocabulary.size(), 38);
  EXPECT_EQ(model.tokenizer->join(model.tokenizer->tokens("the rondo returns")), "the rondo returns");
  task.files.output = folder.file("b.rondo");
  train(task, 2);
  EXPECT_EQ(get_bytes(folder.file("a.rondo")), get_bytes(folder.file("b.rondo")));
}

TEST(Subwords, OptionsThatContradictAreErrors) {
  const TestFolder folder;
  ClassifierTask task = small_task(folder);
  task.corpus.sentencepiece = "some.model";
  EXPECT_THROW(train(task, 1), ConfigError);
  task = small_task(folder);
  task.model.tokenizer = TokenizerKind::kWords;
  EXPECT_THROW(train(task, 1), ConfigError);
  task = small_task(folder);
  task.corpus.subwords = 100'000;
  EXPECT_THROW(train(task, 1), ConfigError);
}

TEST(ByteVocabulary, HoldsEveryByteWhateverTheInputHolds) {
  const TestFolder folder;
  ClassifierTask task = small_task(folder);
  task.model.tokenizer = TokenizerKind::kBytes;
  task.corpus.subwords = 0;
  train(task, 1);
  EXPECT_EQ(load_classifier(task.files.output).vocabulary.size(), 257);
  task.files.output = folder.file("b.rondo");
  task.corpus.min_count = 1;
  EXPECT_THROW(train(task, 1), ConfigError) << "no effect";
}

}  // namespace
}  // namespace rondo
