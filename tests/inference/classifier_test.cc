// The public headers, used as a program would: train from a file, load, ask.
#include "rondo/classifier.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "rondo/train.h"

namespace rondo {
namespace {

using testing::ElementsAre;

class TrainedClassifier : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("rondo-classifier-test-" + std::to_string(getpid()));
    std::filesystem::create_directory(folder_);
    std::ofstream file(folder_ / "train.csv");
    const char* const sweet[] = {"sugar", "honey", "cake", "syrup"};
    const char* const salty[] = {"chips", "olives", "anchovy", "soy"};
    for (int i = 0; i < 120; ++i) {
      file << "sweet,some " << sweet[i % 4] << " and " << sweet[i / 4 % 4] << " please\n";
      file << "salty,some " << salty[i % 4] << " and " << salty[i / 4 % 4] << " please\n";
    }
    file.close();
    result_ = train_classifier({{"input", (folder_ / "train.csv").string()},
                                {"output", model_path()},
                                {"hidden", "8"},
                                {"embedding", "8"},
                                {"lr", "0.01"},
                                {"after", "6e"}});
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }

  static std::string model_path() { return (folder_ / "taste.rondo").string(); }

  inline static std::filesystem::path folder_;
  inline static TrainingResult result_;
};

TEST_F(TrainedClassifier, LearnsAndAnswers) {
  EXPECT_EQ(result_.dev_accuracy, 1.0);
  EXPECT_EQ(result_.updates, 6 * 7);
  const Classifier model = Classifier::load(model_path());
  EXPECT_THAT(model.labels(), ElementsAre("salty", "sweet"));
  EXPECT_FALSE(model.several_labels());
  EXPECT_EQ(model.predict("honey cake").front().label, "sweet");
  EXPECT_EQ(model.predict("olives").front().label, "salty");
}

TEST_F(TrainedClassifier, ProbabilitiesAreSortedAndSumToOne) {
  const Classifier model = Classifier::load(model_path());
  const auto predictions = model.predict("some syrup", 5);
  ASSERT_EQ(predictions.size(), 2U);
  EXPECT_GE(predictions[0].probability, predictions[1].probability);
  EXPECT_NEAR(predictions[0].probability + predictions[1].probability, 1, 1e-6);
}

TEST_F(TrainedClassifier, ATextGetsTheSameBitsAloneAndAmongOthers) {
  const Classifier one = Classifier::load(model_path(), 1), many = Classifier::load(model_path(), 4);
  std::vector<std::string> texts;
  for (int i = 0; i < 150; ++i) {
    texts.push_back(i % 7 == 0 ? ""
                               : std::string(i % 11 * 6, 'x') + " some cake and olives " + std::to_string(i));
  }
  const auto together = many.predict(texts, 2);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = one.predict(texts[i], 2);
    ASSERT_EQ(alone[0].label, together[i][0].label) << texts[i];
    ASSERT_EQ(alone[0].probability, together[i][0].probability) << texts[i];
    ASSERT_EQ(alone[1].probability, together[i][1].probability) << texts[i];
  }
}

TEST_F(TrainedClassifier, ErrorsNameWhatIsWrong) {
  EXPECT_THROW(Classifier::load((folder_ / "none.rondo").string()), IoError);
  EXPECT_THROW(Classifier::load((folder_ / "train.csv").string()), FormatError);
  const Classifier model = Classifier::load(model_path());
  EXPECT_THROW(model.predict("\xff\xfe"), DataError);
  EXPECT_THROW(train_classifier({{"input", "x.csv"}, {"hiden", "8"}}), ConfigError);
  EXPECT_THROW(train_classifier({{"input", "x.csv"}, {"output", model_path()}}), ConfigError);  // it exists
}

}  // namespace
}  // namespace rondo
