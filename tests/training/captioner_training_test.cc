#include "training/captioner_training.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "rondo/errors.h"
#include "small_scenes.h"
#include "storage/captioner_file.h"
#include "storage/safetensors.h"
#include "tensor/device.h"
#include "training/caption_corpus.h"
#include "training/train_captioner.h"
#include "training/translation_metrics.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class CaptionerTrainingTest : public testing::Test {
 protected:
  CaptionTask task(int64_t scenes = 60) {
    write_small_scenes(folder_, scenes);
    return small_caption_task(folder_);
  }
  std::string refused(const CaptionTask& task) {
    try {
      const auto backend = open_device("cpu", 1);
      TrainingObserver silent;
      train_captioner(task, *backend, silent);
    } catch (const Error& error) {
      return error.what();
    }
    ADD_FAILURE() << "accepted";
    return "";
  }
  std::string bytes_of(const CaptionTask& task, int threads) {
    const auto backend = open_device("cpu", threads);
    TrainingObserver silent;
    train_captioner(task, *backend, silent);
    return get_bytes(task.files.run.output);
  }

  TestFolder folder_;
};

TEST_F(CaptionerTrainingTest, EveryAttentionLearnsSmallScenesSlow) {
  for (const CaptionAttention kind : {CaptionAttention::kSoft, CaptionAttention::kHard}) {
    SCOPED_TRACE(name_of(kind));
    CaptionTask learnt = task(600);
    learnt.model.attention = kind;
    learnt.loop.after = "60e";
    learnt.loop.patience = 0;
    learnt.files.run.force = true;
    const auto backend = open_device("cpu", 2);
    TrainingObserver silent;
    const CaptionerReport report = train_captioner(learnt, *backend, silent);
    EXPECT_GT(report.dev.scores.exact, 0.95);
    EXPECT_GT(report.dev.scores.bleu[3], 90);
    EXPECT_LT(report.dev.loss(), 0.2);
  }
}

TEST_F(CaptionerTrainingTest, TheFileDependsOnTheSeedNotOnThreads) {
  for (const CaptionAttention kind : {CaptionAttention::kSoft, CaptionAttention::kHard}) {
    CaptionTask one = task();
    one.model.attention = kind;
    one.files.run.force = true;
    const std::string file = bytes_of(one, 1);
    EXPECT_EQ(bytes_of(one, 3), file);
    one.loop.seed = 2;
    EXPECT_NE(bytes_of(one, 1), file);
  }
}

/// Stops after some updates.
class Stopping final : public TrainingObserver {
 public:
  explicit Stopping(int64_t after) : left_(after) {}
  bool stop_wanted() override { return --left_ == 0; }

 private:
  int64_t left_;
};

TEST_F(CaptionerTrainingTest, AResumedRunHasTheBitsOfOneThatWasNotStopped) {
  CaptionTask whole = task();
  whole.model.attention = CaptionAttention::kHard;  // whose baseline goes on, too
  const auto backend = open_device("cpu", 1);
  TrainingObserver silent;
  train_captioner(whole, *backend, silent);
  CaptionTask parts = whole;
  parts.files.run.output = folder_.file("parts.rondo");
  Stopping stopping(5);
  EXPECT_TRUE(train_captioner(parts, *backend, stopping).outcome.stopped);
  parts.files.run.resume = true;
  EXPECT_FALSE(train_captioner(parts, *backend, silent).outcome.stopped);
  EXPECT_EQ(get_bytes(parts.files.run.output), get_bytes(whole.files.run.output));
}

TEST_F(CaptionerTrainingTest, ThePenaltyOfAttentionIsToldApartFromTheLoss) {
  CaptionTask soft = task();
  soft.steps.even_attention = 1;
  const auto backend = open_device("cpu", 1);
  CaptionerTraining training(soft, *backend);
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(1)});
  const TrainingTask::Step step = training.step(tape, 0, 0);
  ASSERT_EQ(step.parts.size(), 1U);
  EXPECT_EQ(step.parts[0].first, "uneven_attention");
  // 16 regions, at most five words: (16 - 5)^2 / 16 at least.
  EXPECT_GT(step.parts[0].second, 7.5);
  ASSERT_TRUE(step.told.has_value());
  EXPECT_GT(step.loss.value().at(0), *step.told + 1);
}

TEST_F(CaptionerTrainingTest, WordsThatNameArticlesAreTaughtTheirRegions) {
  CaptionTask taught = task(2);
  taught.files.captions = taught.files.dev_captions = folder_.file("scenes.jsonl");
  taught.steps.taught_attention = 0.5;
  // Four regions of 4 pixels along each side of 16.
  const auto scene = [](const char* image, const char* caption, const char* red, const char* blue) {
    return fmt::format(
        R"({{"image":"{}","caption":"{}","articles":[{{"name":"red","box":{}}},{{"name":"blue","box":{}}}]}})"
        "\n",
        image, caption, red, blue);
  };
  put_bytes(folder_.file("scenes.jsonl"), scene("0.png", "red left of blue", "[0,4,4,4]", "[12,0,4,4]") +
                                              scene("1.png", "blue above red", "[0,0,4,4]", "[4,12,4,4]"));
  const auto backend = open_device("cpu", 1);
  const CaptionData data = read_caption_data(taught, backend->threads());
  ASSERT_EQ(data.train.size(), 2U);
  EXPECT_THAT(data.train[0].looks, testing::ElementsAre(4, -1, -1, 3));
  EXPECT_THAT(data.train[1].looks, testing::ElementsAre(13, -1, 0));
  CaptionerTraining training(taught, *backend);
  Tape tape(*backend, {.recording = true, .training = true, .random = Stream(1)});
  const TrainingTask::Step step = training.step(tape, 0, 0);
  ASSERT_EQ(step.parts.size(), 2U);
  EXPECT_EQ(step.parts[1].first, "taught_attention");
  EXPECT_NEAR(step.parts[1].second, 2 * std::log(16.0), 0.6);  // nearly even at the beginning
  put_bytes(folder_.file("scenes.jsonl"), scene("0.png", "red left of blue", "[0,4,4,4]", "[16,0,4,4]"));
  EXPECT_THAT(refused(taught), HasSubstr("scenes.jsonl:1: the box of 'blue' leaves the picture"));
}

TEST_F(CaptionerTrainingTest, BatchesHoldOneLengthEachAndEveryCaptionOnce) {
  std::vector<CaptionIds> captions;
  for (size_t i = 0; i < 100; ++i) captions.push_back({0, std::vector<int32_t>(i % 7, 2)});
  std::multiset<int32_t> seen;
  for (const std::vector<int32_t>& batch : plan_caption_batches(captions, 6, 3, 0)) {
    EXPECT_LE(batch.size(), 6U);
    for (const int32_t i : batch) {
      EXPECT_EQ(i % 7, batch.front() % 7);
      seen.insert(i);
    }
  }
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(std::set<int32_t>(seen.begin(), seen.end()).size(), 100U);
  EXPECT_EQ(plan_caption_batches(captions, 6, 3, 0), plan_caption_batches(captions, 6, 3, 0));
  EXPECT_NE(plan_caption_batches(captions, 6, 3, 1), plan_caption_batches(captions, 6, 3, 0));
}

TEST_F(CaptionerTrainingTest, PicturesAndCaptionsThatDoNotFitAreErrors) {
  const CaptionTask good = task(8);
  put_bytes(folder_.file("captions.csv"), "image,caption\n0.png,red above blue\nnone.png,red\nnot.png,red\n");
  EXPECT_THAT(refused(good), AllOf(HasSubstr("captions.csv:3: no picture 'none.png'"), HasSubstr("2 of 3")));
  put_bytes(folder_.file("captions.csv"), "image,caption\n0.png,red above blue\n1.png,\n");
  EXPECT_THAT(refused(good), HasSubstr("captions.csv:3: the picture '1.png' without a caption"));
  write_small_scenes(folder_, 8);
  put_bytes(folder_.file("images/3.png"), "no picture");
  EXPECT_THAT(refused(good), HasSubstr("3.png: no JPEG and no PNG"));
  CaptionTask other = good;
  other.files.images = folder_.file("nowhere");
  EXPECT_THAT(refused(other), HasSubstr("check --images"));
  other.files.images = "";
  EXPECT_THAT(refused(other), HasSubstr("give --images DIR, or --features"));
  other = good;
  other.files.run.output = good.files.captions;
  EXPECT_THAT(refused(other), HasSubstr("would be overwritten"));
}

TEST_F(CaptionerTrainingTest, PicturesWithoutACaptionAreCountedInAWarning) {
  const CaptionTask good = task(8);
  put_bytes(folder_.file("images/other.jpg"), "never looked at");
  const auto backend = open_device("cpu", 1);
  const CaptionerTraining training(good, *backend);
  ASSERT_EQ(training.plan().warnings.size(), 1U);
  EXPECT_THAT(training.plan().warnings[0],
              AllOf(HasSubstr("1 picture is without a caption"), HasSubstr("other.jpg")));
}

TEST_F(CaptionerTrainingTest, OptionsWithoutEffectAreRefused) {
  CaptionTask wrong = task(8);
  wrong.model.attention = CaptionAttention::kHard;
  wrong.steps.even_attention = 2;
  EXPECT_THAT(refused(wrong), HasSubstr("--even-attention has no effect"));
  wrong = small_caption_task(folder_);
  wrong.steps.drawn = 0.3;
  EXPECT_THAT(refused(wrong), HasSubstr("--attention hard"));
  wrong = small_caption_task(folder_);
  wrong.corpus.subwords = 100;
  EXPECT_THAT(refused(wrong), HasSubstr("--subwords has no effect"));
  wrong = small_caption_task(folder_);
  wrong.model.regions = wrong.model.region_size = 4;
  EXPECT_THAT(refused(wrong), HasSubstr("has no effect"));
}

void write_features(const std::string& path, int64_t images, std::map<std::string, std::string> metadata) {
  Tensor x({images, 3, 5});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i % 11) / 10;
  write_tensor_file(path, {.metadata = std::move(metadata), .tensors = {{"features", x}}});
}

TEST_F(CaptionerTrainingTest, GivenRegionsTrainByNameOrByOrder) {
  CaptionTask given = task(6);
  given.files.images = "";
  given.files.features = folder_.file("f.safetensors");
  given.model = {.embedding = 8, .hidden = 8, .attention_size = 8};
  given.loop.batch = 4;
  write_features(given.files.features, 6, {});
  const auto backend = open_device("cpu", 1);
  TrainingObserver silent;
  train_captioner(given, *backend, silent);
  const CaptionerModel model = load_captioner(given.files.run.output);
  EXPECT_EQ(model.options().regions, 3);
  EXPECT_EQ(model.options().region_size, 5);
  given.files.run.force = true;
  write_features(given.files.features, 5, {});
  EXPECT_THAT(refused(given), AllOf(HasSubstr("features of 5 pictures"), HasSubstr("metadata")));
  write_features(given.files.features, 2, {{"images", R"(["0.png", "1.png"])"}});
  EXPECT_THAT(refused(given), AllOf(HasSubstr("captions.csv:"), HasSubstr("has no features of")));
  write_features(given.files.features, 2, {{"images", R"(["0.png"])"}});
  EXPECT_THAT(refused(given), HasSubstr("1 names"));
  write_features(given.files.features, 2, {{"images", "0.png"}});
  EXPECT_THAT(refused(given), HasSubstr("no JSON list"));
  write_tensor_file(given.files.features, {.metadata = {}, .tensors = {{"x", Tensor::zeros({6, 15})}}});
  EXPECT_THAT(refused(given), HasSubstr("[images, regions, D], got [6, 15]"));
}

TEST_F(CaptionerTrainingTest, ScoresAreBleuOfEveryOrderAndTheExactShare) {
  const TextCoder text{.tokenizer = make_tokenizer(TokenizerKind::kWords), .vocabulary = {}};
  const std::vector<std::string> captions = {"a red bag", "a dog runs on the beach"};
  const std::vector<std::vector<std::string>> references = {{"A red bag", "a bag"},
                                                            {"a dog runs on a beach"}};
  const CaptionScores scores = score_captions(text, captions, references);
  EXPECT_DOUBLE_EQ(scores.exact, 0.5);
  EXPECT_NEAR(scores.bleu[0], 100 * 8.0 / 9, 1e-9);
  EXPECT_NEAR(scores.bleu[1], 100 * std::sqrt(8.0 / 9 * 5.0 / 7), 1e-9);
  Bleu bleu({.lower_case = true});
  for (size_t i = 0; i < 2; ++i) bleu.add(captions[i], references[i]);
  EXPECT_DOUBLE_EQ(scores.bleu[3], bleu.score().score);
}

}  // namespace
}  // namespace rondo
