#include "training/translator_training.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "rondo/errors.h"
#include "storage/test_files.h"
#include "storage/translator_file.h"
#include "tensor/device.h"
#include "training/optimizer.h"
#include "training/train_translator.h"

namespace rondo {
namespace {

using testing::HasSubstr;

constexpr const char* kDigits[] = {"one", "two", "three", "four", "five"};
constexpr const char* kZiffern[] = {"eins", "zwei", "drei", "vier", "fuenf"};

struct Texts {
  std::string source, target;
};

// Numbers word by word, lengths from 1 to 6.
Texts texts(int64_t lines, uint64_t seed = 1) {
  Texts made;
  const Stream stream(seed);
  for (int64_t i = 0; i < lines; ++i) {
    const Stream own = stream.sub(static_cast<uint64_t>(i));
    const uint64_t words = 1 + own.below(0, 6);
    for (uint64_t w = 0; w < words; ++w) {
      const uint64_t digit = own.below(w + 1, 5);
      const char* space = w + 1 == words ? "\n" : " ";
      made.source += std::string(kDigits[digit]) + space;
      made.target += std::string(kZiffern[digit]) + space;
    }
  }
  return made;
}

class TranslatorTrainingTest : public testing::Test {
 protected:
  TranslationTask small_task(const Texts& made = texts(200)) {
    put_bytes(folder_.file("train.en"), made.source);
    put_bytes(folder_.file("train.de"), made.target);
    TranslationTask task;
    task.files.source = folder_.file("train.en");
    task.files.target = folder_.file("train.de");
    task.files.run.output = folder_.file("en-de.rondo");
    task.corpus.dev_fraction = 0.1;
    task.model = {.tokenizer = TokenizerKind::kSpaces, .embedding = 16, .hidden = 16};
    task.steps.batch_tokens = 60;
    task.loop.after = "2e";
    return task;
  }
  void expect_refused(const TranslationTask& task, const char* words) {
    try {
      const auto backend = open_device("cpu", 1);
      TranslatorTraining training(task, *backend);
      FAIL() << "accepted: " << words;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  }

  TestFolder folder_;
};

TEST(TokenBatches, HoldEveryPairOnceWithinTheLimitAndAsManyEveryEpoch) {
  std::vector<TokenPair> pairs(300);
  for (size_t i = 0; i < pairs.size(); ++i) pairs[i].target.resize(i * 7 % 31);
  pairs[5].target.resize(500);  // more than a batch may hold
  const TokenBatches options{.tokens = 100, .seed = 3};
  const auto first = plan_token_batches(pairs, options, 0);
  std::multiset<int32_t> seen;
  for (const auto& batch : first) {
    size_t tokens = 0, shortest = 1000, longest = 0;
    for (const int32_t i : batch) {
      const size_t length = pairs[static_cast<size_t>(i)].target.size() + 1;
      tokens += length;
      shortest = std::min(shortest, length);
      longest = std::max(longest, length);
      seen.insert(i);
    }
    if (batch.size() > 1) {
      EXPECT_LE(tokens, 100U);
      EXPECT_LE(longest - shortest, 10U);
    }
  }
  ASSERT_EQ(seen.size(), pairs.size());
  EXPECT_EQ(std::set<int32_t>(seen.begin(), seen.end()).size(), pairs.size());
  const auto second = plan_token_batches(pairs, options, 1);
  EXPECT_EQ(second.size(), first.size());
  EXPECT_NE(second, first);
  EXPECT_EQ(plan_token_batches(pairs, options, 0), first);
  const auto sentences = plan_token_batches(pairs, {.tokens = 0, .sentences = 32}, 0);
  EXPECT_EQ(sentences.size(), 10U);
}

TEST_F(TranslatorTrainingTest, LearnsToTranslateWordByWord) {
  TranslationTask task = small_task(texts(400));
  task.model.embedding = task.model.hidden = 32;
  task.steps.label_smoothing = 0;
  task.loop.after = "20e";
  task.loop.optimizer.lr = 1e-2;
  const auto backend = open_device("cpu", 1);
  TrainingObserver silent;
  const TranslatorReport report = train_translator(task, *backend, silent);
  EXPECT_GE(report.dev.bleu, 95);
  EXPECT_LT(report.dev.loss(), 0.1);
  EXPECT_EQ(report.outcome.best.dev_metric, report.dev.bleu);
  const TranslatorModel model = load_translator(task.files.run.output);
  const std::vector<int32_t> source = model.encode_source("three one five");
  const std::vector<const std::vector<int32_t>*> sources = {&source};
  const auto told = translate_greedily(*model.network, *backend, sources, model.target.end());
  EXPECT_EQ(model.decode_target(told[0]), "drei eins fuenf");
}

TEST_F(TranslatorTrainingTest, TheSameFileForAnyNumberOfThreads) {
  TranslationTask task = small_task();
  task.model.input_dropout = 0.2;
  std::vector<std::string> files;
  for (const int threads : {1, 2}) {
    task.files.run.output = folder_.file("threads" + std::to_string(threads));
    TrainingObserver silent;
    train_translator(task, *open_device("cpu", threads), silent);
    files.push_back(get_bytes(task.files.run.output));
  }
  EXPECT_EQ(files[0], files[1]);
}

// A step depends on nothing but its epoch and index: what resuming stands on.
TEST_F(TranslatorTrainingTest, AStepIsTheSameWhateverWasBefore) {
  const TranslationTask task = small_task();
  const auto backend = open_device("cpu", 1);
  const auto loss = [&](TranslatorTraining& training, int64_t epoch, int64_t index) {
    Tape tape(*backend, {.recording = true, .training = true, .random = Stream(9)});
    return training.step(tape, epoch, index).loss.value().at(0);
  };
  TranslatorTraining fresh(task, *backend), used(task, *backend);
  EXPECT_EQ(fresh.identity(), used.identity());
  loss(used, 0, 0);
  loss(used, 0, 1);
  EXPECT_EQ(loss(used, 1, 2), loss(fresh, 1, 2));
  EXPECT_NE(loss(used, 1, 2), loss(used, 0, 2));
}

TEST_F(TranslatorTrainingTest, GreedyTranslationsAreTheSameInAnyBatch) {
  const TranslationTask task = small_task();
  const auto backend = open_device("cpu", 1);
  TranslatorTraining training(task, *backend);
  const TranslatorModel model = unpack_translator(training.pack({}), "m");
  std::vector<std::vector<int32_t>> ids;
  for (const char* text : {"one two", "", "three four five one", "two", "nothing known"}) {
    ids.push_back(model.encode_source(text));
  }
  std::vector<const std::vector<int32_t>*> sources;
  for (const auto& source : ids) sources.push_back(&source);
  const auto together = translate_greedily(*model.network, *backend, sources, model.target.end(), 64);
  EXPECT_EQ(translate_greedily(*model.network, *backend, sources, model.target.end(), 1), together);
  EXPECT_EQ(translate_greedily(*model.network, *backend, sources, model.target.end(), 2), together);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_LE(together[i].size(), 2 * ids[i].size() + 10);
}

TEST_F(TranslatorTrainingTest, LongPairsAreLeftOutAndCounted) {
  Texts made = texts(50);
  for (int i = 0; i < 30; ++i) made.source += "one ";
  made.source += "\n";
  made.target += "eins\n";
  TranslationTask task = small_task(made);
  task.files.dev_source = task.files.source;
  task.files.dev_target = task.files.target;
  task.corpus.max_length = 10;
  const TranslationCorpus corpus = read_translation_corpus(task);
  EXPECT_EQ(corpus.train.size(), 50U);
  EXPECT_EQ(corpus.dev.size(), 51U);
  EXPECT_EQ(corpus.dev.back().source.size(), 11U);
  EXPECT_EQ(corpus.dev.back().source.back(), corpus.source.end());
  ASSERT_EQ(corpus.warnings.size(), 2U);
  EXPECT_THAT(corpus.warnings[0], HasSubstr("1 pairs with more than 10 tokens"));
  EXPECT_THAT(corpus.warnings[0], HasSubstr("line 51"));
  EXPECT_THAT(corpus.warnings[1], HasSubstr("1 dev pairs cut"));
}

TEST_F(TranslatorTrainingTest, AJointVocabularyHasBothLanguages) {
  TranslationTask task = small_task();
  task.model.joint = true;
  const TranslationCorpus corpus = read_translation_corpus(task);
  EXPECT_NE(corpus.source.vocabulary.id("drei"), Vocabulary::kUnknown);
  EXPECT_NE(corpus.source.vocabulary.id("three"), Vocabulary::kUnknown);
  EXPECT_EQ(corpus.source.vocabulary.tokens(), corpus.target.vocabulary.tokens());
  task.model.joint = false;
  EXPECT_EQ(read_translation_corpus(task).source.vocabulary.id("drei"), Vocabulary::kUnknown);
}

TEST_F(TranslatorTrainingTest, TextsThatTeachNothingAreErrors) {
  expect_refused(small_task({"a b\nb a\na b\nb a\n", "x\nx x\nx\nx\n"}), "the target has 1 different token");
  TranslationTask task = small_task();
  task.corpus.max_vocabulary = 2;
  expect_refused(task, "raise --max-vocabulary");
  task = small_task();
  task.corpus.min_count = 1'000'000;
  expect_refused(task, "lower --min-count");
  expect_refused(small_task({"a b\n", "x y\n"}), "one pair");
  task = small_task({"a b c d\na b c e\n", "x y z w\nx y z v\n"});
  task.corpus.max_length = 2;
  task.corpus.min_count = 1;
  expect_refused(task, "raise --max-length");
}

TEST_F(TranslatorTrainingTest, OptionsWithoutEffectAreErrors) {
  const auto refused = [&](const char* words, const auto& change) {
    TranslationTask task = small_task();
    change(task);
    try {
      task.check();
      FAIL() << "accepted: " << words;
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  refused("--subwords", [](TranslationTask& t) { t.corpus.subwords = 100; });
  refused("--min-count", [](TranslationTask& t) {
    t.model.tokenizer = TokenizerKind::kBytes;
    t.corpus.min_count = 5;
  });
  refused("--dev-fraction", [](TranslationTask& t) { t.files.dev_source = "dev.en"; });
  refused("--dev-target", [](TranslationTask& t) { t.files.dev_target = "dev.de"; });
  refused("--batch ", [](TranslationTask& t) { t.loop.batch = 64; });
  refused("--scheduled-sampling", [](TranslationTask& t) {
    t.steps.scheduled_sampling = 0.1;
    t.model.input_dropout = 0.1;
    t.model.locked_dropout = true;
  });
}

TEST_F(TranslatorTrainingTest, NoFileThatIsReadIsOverwritten) {
  TranslationTask task = small_task();
  const auto backend = open_device("cpu", 1);
  TrainingObserver silent;
  task.files.run.force = true;
  task.files.run.output = task.files.target;
  EXPECT_THROW(train_translator(task, *backend, silent), ConfigError);
  EXPECT_EQ(get_bytes(task.files.target), texts(200).target);
  task.files.source.clear();
  EXPECT_THROW(train_translator(task, *backend, silent), ConfigError);
}

}  // namespace
}  // namespace rondo
