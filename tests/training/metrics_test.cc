#include "training/metrics.h"

#include <gtest/gtest.h>

#include <array>

#include "base/errors.h"

namespace rondo {
namespace {

// truth 0 0 0 1 1 2, predicted 0 0 1 1 2 0: label 0 has tp 2, fp 1, fn 1; 1 has 1, 1, 1; 2 has 0, 1, 1.
Metrics small_example() {
  Metrics metrics({"a", "b", "c"});
  constexpr std::array kTruth{0, 0, 0, 1, 1, 2};
  constexpr std::array kPredicted{0, 0, 1, 1, 2, 0};
  for (size_t i = 0; i < kTruth.size(); ++i) metrics.add(kTruth[i], kPredicted[i]);
  return metrics;
}

TEST(Metrics, HandMadeCase) {
  const Evaluation e = small_example().evaluation();
  EXPECT_EQ(e.examples, 6);
  EXPECT_DOUBLE_EQ(e.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(e.micro_f1, 0.5);
  EXPECT_DOUBLE_EQ(e.labels[0].precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(e.labels[0].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(e.labels[1].f1, 0.5);
  EXPECT_DOUBLE_EQ(e.labels[2].f1, 0);
  EXPECT_DOUBLE_EQ(e.macro_f1, (2.0 / 3 + 0.5) / 3);
  EXPECT_EQ(e.labels[0].support, 3);
  EXPECT_EQ(e.confusion, (std::vector<std::vector<int64_t>>{{2, 1, 0}, {0, 1, 1}, {1, 0, 0}}));
}

// sklearn.metrics.f1_score([0, 0], [0, 1], average="macro") == 1/3: label 1 stands in the predictions only
// and counts as 0; labels 2 and 3 stand nowhere and are left out.
TEST(Metrics, MacroF1LeavesOutLabelsThatStandNowhere) {
  Metrics metrics({"a", "b", "c", "d"});
  metrics.add(0, 0);
  metrics.add(0, 1);
  const Evaluation e = metrics.evaluation();
  EXPECT_DOUBLE_EQ(e.macro_f1, (2.0 / 3 + 0) / 2);
  EXPECT_EQ(e.labels.size(), 4U);
}

TEST(Metrics, UnseenLabelIsAnErrorAndListed) {
  Metrics metrics({"a", "b"});
  metrics.add(0, 0);
  metrics.add(1, 1);
  metrics.add_unseen("z", 0);
  metrics.add_unseen("z", 1);
  const Evaluation e = metrics.evaluation();
  EXPECT_EQ(e.examples, 4);
  EXPECT_DOUBLE_EQ(e.accuracy, 0.5);
  EXPECT_DOUBLE_EQ(e.labels[0].precision, 0.5);
  EXPECT_DOUBLE_EQ(e.labels[0].recall, 1);
  EXPECT_DOUBLE_EQ(e.macro_f1, (2.0 / 3 + 2.0 / 3 + 0) / 3);
  EXPECT_EQ(e.unseen.at("z"), 2);
  EXPECT_EQ(e.to_json().at("unseen").at("z"), 2);
  EXPECT_NE(e.table().find("\"z\" (2 examples)"), std::string::npos);
}

TEST(Metrics, NothingCountedIsAllZeros) {
  const Evaluation e = Metrics({"a", "b"}).evaluation();
  EXPECT_EQ(e.examples, 0);
  EXPECT_EQ(e.accuracy, 0);
  EXPECT_EQ(e.macro_f1, 0);
  EXPECT_EQ(e.loss, 0);
}

TEST(Metrics, LossIsTheMeanOverExamples) {
  Metrics metrics({"a", "b"});
  metrics.add_loss(3, 2);
  metrics.add_loss(1, 2);
  EXPECT_DOUBLE_EQ(metrics.evaluation().loss, 1);
}

TEST(Metrics, NumberThatIsNoLabelsIsAConfigError) {
  Metrics metrics({"a", "b"});
  EXPECT_THROW(metrics.add(2, 0), ConfigError);
  EXPECT_THROW(metrics.add(0, -1), ConfigError);
  EXPECT_THROW(metrics.add_unseen("z", 2), ConfigError);
  EXPECT_EQ(metrics.evaluation().examples, 0);
}

TEST(Metrics, JsonHoldsWhatWasCounted) {
  const nlohmann::json json = small_example().evaluation().to_json();
  EXPECT_DOUBLE_EQ(json.at("accuracy"), 0.5);
  EXPECT_EQ(json.at("labels").size(), 3U);
  EXPECT_EQ(json.at("labels")[1].at("label"), "b");
  EXPECT_EQ(json.at("confusion")[0][1], 1);
  EXPECT_FALSE(json.contains("unseen"));
}

TEST(Metrics, TableHasALineALabelInColumns) {
  Metrics metrics({"été", "sport"});
  metrics.add(0, 0);
  metrics.add(1, 0);
  metrics.add_loss(1, 2);
  EXPECT_EQ(metrics.evaluation().table(),
            "accuracy 0.5000, macro F1 0.3333, micro F1 0.5000, loss 0.5000, 2 examples\n\n"
            "label  precision  recall      f1  support\n"
            "été       0.5000  1.0000  0.6667        1\n"
            "sport     0.0000  0.0000  0.0000        1\n");
}

void add(MultiLabelMetrics& metrics, std::vector<int32_t> truth, std::vector<int32_t> predicted,
         std::vector<std::string> unseen = {}) {
  metrics.add(truth, predicted, unseen);
}

// sklearn.metrics.f1_score([[1,1,0],[0,1,0],[0,0,0]], [[1,0,0],[0,1,0],[0,0,0]]): macro 0.5556, micro 0.8;
// the label that stands nowhere counts as 0.
TEST(MultiLabelMetrics, HandMadeCase) {
  MultiLabelMetrics metrics({"a", "b", "c"});
  add(metrics, {0, 1}, {0});
  add(metrics, {1}, {1, 1});
  add(metrics, {}, {});
  const Evaluation e = metrics.evaluation();
  EXPECT_EQ(e.examples, 3);
  EXPECT_DOUBLE_EQ(e.accuracy, 2.0 / 3);
  EXPECT_DOUBLE_EQ(e.micro_f1, 2.0 * 2 / 5);
  EXPECT_DOUBLE_EQ(e.labels[1].recall, 0.5);
  EXPECT_DOUBLE_EQ(e.macro_f1, (1 + 2.0 / 3 + 0) / 3);
  EXPECT_TRUE(e.confusion.empty());
  EXPECT_FALSE(e.to_json().contains("confusion"));
}

TEST(MultiLabelMetrics, UnseenLabelIsAMissedOne) {
  MultiLabelMetrics metrics({"a"});
  add(metrics, {0}, {0}, {"z"});
  const Evaluation e = metrics.evaluation();
  EXPECT_EQ(e.accuracy, 0);
  EXPECT_DOUBLE_EQ(e.micro_f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(e.macro_f1, 0.5);
  EXPECT_EQ(e.unseen.at("z"), 1);
}

TEST(MultiLabelMetrics, NumberThatIsNoLabelsIsAConfigErrorAndCountsNothing) {
  MultiLabelMetrics metrics({"a"});
  EXPECT_THROW(add(metrics, {0}, {1}), ConfigError);
  EXPECT_EQ(metrics.evaluation().examples, 0);
}

}  // namespace
}  // namespace rondo
