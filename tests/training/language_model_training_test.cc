#include "training/language_model_training.h"

#include <gmock/gmock.h>

#include "rondo/errors.h"
#include "storage/test_files.h"
#include "tensor/device.h"
#include "training/optimizer.h"

namespace rondo {
namespace {

using testing::HasSubstr;

// Letters that depend on the two before, with a blank line every so often.
std::string text(int64_t length, int64_t document = 0) {
  std::string made;
  for (int64_t i = 0; i < length; ++i) {
    made += static_cast<char>('a' + (i * i + 3 * (i / 7)) % 11);
    if (document > 0 && i % document == document - 1) made += "\n\n";
  }
  return made;
}

std::string written(const TestFolder& folder, const std::string& content) {
  put_bytes(folder.file("text.txt"), content);
  return folder.file("text.txt");
}

LanguageTask small_task(const std::string& input) {
  LanguageTask task{.files = {.input = input, .output = "unused.rondo"},
                    .model = {.embedding = 5, .recurrent = {.hidden = 7, .layers = 2}},
                    .unroll = {.chunk = 10}};
  task.loop.batch = 3;
  return task;
}

// What a step gives: its loss and its gradients, dense ones alone.
struct Result {
  double loss = 0;
  int64_t tokens = 0;
  std::vector<float> gradients;
};

Result step(LanguageModelTraining& training, Backend& backend, int64_t index, int64_t epoch = 0) {
  training.parameters().clear_gradients();
  Tape tape(backend, {.recording = true, .training = true, .random = Stream(9)});
  const TrainingTask::Step step = training.step(tape, epoch, index);
  tape.backward(step.loss);
  Result result{.loss = step.loss.value().at(0), .tokens = step.tokens, .gradients = {}};
  for (const Parameter& parameter : training.parameters().all()) {
    for (int64_t i = 0; parameter.gradient && i < parameter.gradient.size(); ++i) {
      result.gradients.push_back(parameter.gradient.data<float>()[i]);
    }
  }
  return result;
}

// Nats of an epoch with the weights as they are.
double nats_of_epoch(const LanguageTask& task, Backend& backend) {
  LanguageModelTraining training(task, backend);
  double nats = 0;
  for (int64_t i = 0; i < training.updates_per_epoch(); ++i) {
    const Result result = step(training, backend, i);
    nats += result.loss * static_cast<double>(result.tokens);
  }
  return nats;
}

TEST(LanguageModelTraining, CarriedStatesReadAStreamAsOneLongPassDoes) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  for (const char* documents : {"file", "blank-line"}) {
    LanguageTask task = small_task(written(folder, text(400, 23)));
    if (std::string(documents) == "blank-line") task.corpus.documents.documents = DocumentUnit::kBlankLine;
    task.unroll.chunk = 0;
    const double whole = nats_of_epoch(task, *backend);
    EXPECT_GT(whole, 100);
    for (const int64_t chunk : {1, 3, 10, 64}) {
      task.unroll.chunk = chunk;
      EXPECT_NEAR(nats_of_epoch(task, *backend), whole, 1e-3) << documents << " " << chunk;
    }
    task.unroll.random_chunks = true;
    EXPECT_NEAR(nats_of_epoch(task, *backend), whole, 1e-3) << documents;
    task.unroll.carry = Carry::kNever;
    EXPECT_GT(std::abs(nats_of_epoch(task, *backend) - whole), 1e-2) << documents;
  }
}

// Where a document begins anew, its tokens know nothing of the one before, unless states are always carried.
TEST(LanguageModelTraining, DocumentsBeginFromZerosUnlessAlwaysCarried) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageTask task = small_task(written(folder, text(400, 23)));
  task.corpus.documents.documents = DocumentUnit::kBlankLine;
  task.corpus.dev_split = DevSplit::kEnd;
  const double document = nats_of_epoch(task, *backend);
  task.unroll.carry = Carry::kAlways;
  EXPECT_GT(std::abs(nats_of_epoch(task, *backend) - document), 1e-2);
}

TEST(LanguageModelTraining, AChunkAsLongAsTheStreamIsFullBackpropagation) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageTask task = small_task(written(folder, text(102)));
  task.unroll.chunk = 0;
  LanguageModelTraining full(task, *backend);
  ASSERT_EQ(full.updates_per_epoch(), 1);
  const Result whole = step(full, *backend, 0);
  ASSERT_EQ(whole.tokens % 3, 0);
  task.unroll.chunk = whole.tokens / 3;
  LanguageModelTraining truncated(task, *backend);
  ASSERT_EQ(truncated.updates_per_epoch(), 1);
  const Result cut = step(truncated, *backend, 0);
  EXPECT_EQ(cut.loss, whole.loss);
  EXPECT_EQ(cut.gradients, whole.gradients);
}

TEST(LanguageModelTraining, StateComesBackBitForBit) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  for (const bool random : {false, true}) {
    LanguageTask task = small_task(written(folder, text(400, 23)));
    task.corpus.documents.documents = DocumentUnit::kBlankLine;
    task.unroll.random_chunks = random;
    LanguageModelTraining one(task, *backend), other(task, *backend);
    for (int64_t i = 0; i < 4; ++i) step(one, *backend, i, 1);
    NamedTensors kept;
    for (const auto& [name, tensor] : one.state()) kept.emplace_back(name, tensor.clone());
    const Result next = step(one, *backend, 4, 1);
    EXPECT_FALSE(same(one.state(), kept));
    other.restore_state(kept);
    EXPECT_TRUE(same(other.state(), kept));
    const Result again = step(other, *backend, 4, 1);
    EXPECT_EQ(again.loss, next.loss);
    EXPECT_EQ(again.gradients, next.gradients);
    EXPECT_TRUE(same(other.state(), one.state()));
  }
}

TEST(LanguageModelTraining, AStateThatDoesNotFitIsRefused) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageModelTraining training(small_task(written(folder, text(400))), *backend);
  NamedTensors state = training.state();
  state[1].second = Tensor({3, 8});
  EXPECT_THROW(training.restore_state(state), FormatError);
  state.clear();
  EXPECT_THROW(training.restore_state(state), FormatError);
}

TEST(LanguageModelTraining, AnEpochBeginsFromZeros) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageModelTraining training(small_task(written(folder, text(400))), *backend);
  const Result first = step(training, *backend, 0);
  step(training, *backend, 1);
  EXPECT_EQ(step(training, *backend, 0).loss, first.loss);
}

TEST(LanguageModelTraining, StatesThatOverflowAreNotCarriedOn) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageTask task = small_task(written(folder, text(600)));
  task.model.recurrent = {.cell = Cell::kRnn, .hidden = 7, .nonlinearity = Nonlinearity::kRelu};
  task.unroll.chunk = 40;
  LanguageModelTraining training(task, *backend);
  training.parameters().find("rnn.weight_hh_l0").value.fill(1000);
  training.parameters().find("rnn.bias_hh_l0").value.fill(1);
  EXPECT_FALSE(std::isfinite(step(training, *backend, 0).loss));
  for (const auto& [name, tensor] : training.state()) {
    for (int64_t i = 0; i < tensor.size(); ++i) EXPECT_TRUE(std::isfinite(tensor.at(i))) << name;
  }
}

TEST(LanguageModelTraining, TheRateOfARandomChunkFollowsItsLength) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  LanguageTask task = small_task(written(folder, text(3000)));
  task.unroll.chunk = 20;
  task.unroll.random_chunks = true;
  LanguageModelTraining training(task, *backend);
  double shortest = 9, longest = 0;
  for (int64_t i = 0; i < training.updates_per_epoch(); ++i) {
    Tape tape(*backend, {.recording = true, .training = true, .random = Stream(9)});
    const TrainingTask::Step step = training.step(tape, 0, i);
    // Three streams, the last of whose chunks may be a token short.
    EXPECT_NEAR(step.rate_factor * 20 * 3, static_cast<double>(step.tokens), 3);
    shortest = std::min(shortest, step.rate_factor);
    longest = std::max(longest, step.rate_factor);
  }
  EXPECT_LT(shortest, 0.9);
  EXPECT_GT(longest, 1.1);
}

// Segments of a chunk, and rows of the table that Adam has left behind: both passes must see the same ones.
TEST(LanguageModelTraining, RecomputedSegmentsTrainAsTheWholeChunkDoes) {
  const TestFolder folder;
  const auto backend = open_device("cpu", 1);
  const auto train = [&](int64_t max_mem) {
    LanguageTask task = small_task(written(folder, text(30000, 1000)));
    task.corpus.documents.documents = DocumentUnit::kBlankLine;
    task.corpus.dev_split = DevSplit::kEnd;
    task.model.recurrent.hidden = 32;
    task.unroll.chunk = 3000;
    task.unroll.max_mem = max_mem;
    LanguageModelTraining training(task, *backend);
    Optimizer optimizer(*backend, training.parameters(), {.lr = 0.01});
    std::vector<double> losses;
    for (int64_t i = 0; i < 3; ++i) {
      losses.push_back(step(training, *backend, i).loss);
      optimizer.step(0.01);
    }
    return losses;
  };
  const std::vector<double> whole = train(0), parts = train(44);
  for (size_t i = 0; i < whole.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-4) << i;
  EXPECT_NE(parts.back(), whole.front());
}

void expect_refused(const LanguageTask& task, const char* words) {
  const auto backend = open_device("cpu", 1);
  try {
    const LanguageModelTraining training(task, *backend);
    FAIL() << "accepted: " << words;
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(words));
  }
}

TEST(LanguageModelTraining, MemoryThatDoesNotSufficeIsToldBeforeTheFirstStep) {
  const TestFolder folder;
  LanguageTask task = small_task(written(folder, text(30000)));
  task.unroll.max_mem = 1;
  expect_refused(task, "--max-mem 1: this training needs");
  task.model.recurrent.hidden = 32;
  task.unroll.chunk = 0;
  task.unroll.max_mem = 44;
  task.unroll.ar = 2;
  expect_refused(task, "--ar and --tar");
  task.unroll.ar = 0;
  task.model.recurrent.dropout = 0.2;
  expect_refused(task, "--locked-dropout");
}

TEST(LanguageModelTraining, TextsThatAreTooShortAreErrors) {
  const TestFolder folder;
  LanguageTask task = small_task(written(folder, text(30)));
  expect_refused(task, "less than one chunk of 10 steps in 3 streams");
  task.unroll.chunk = 0;
  task.loop.batch = 20;
  expect_refused(task, "less than one chunk of 2 steps in 20 streams; --batch");
  task = small_task(written(folder, std::string(500, 'a')));
  expect_refused(task, "needs two to tell apart");
}

TEST(LanguageModelTraining, TheLeastVocabularyHasNoWordsLeft) {
  const TestFolder folder;
  LanguageTask task = small_task(written(folder, text(500)));
  task.corpus.max_vocabulary = 6;
  const auto backend = open_device("cpu", 1);
  EXPECT_EQ(LanguageModelTraining(task, *backend).plan().vocabulary, 6);
  task.corpus.max_vocabulary = 1;
  expect_refused(task, "needs two to tell apart");
}

}  // namespace
}  // namespace rondo
