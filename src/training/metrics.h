// How good predictions are: accuracy, precision, recall, F1, confusion; one label a text or several.
//   Metrics metrics({"sport", "world"});  metrics.add(0, 1);  Evaluation e = metrics.evaluation(); e.accuracy
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace rondo {

/// One label against the rest. precision = tp/(tp+fp), recall = tp/(tp+fn), f1 = 2tp/(2tp+fp+fn); 0/0 is 0.
struct LabelScore {
  std::string label;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  int64_t support = 0;    ///< examples that have it
  int64_t predicted = 0;  ///< examples that were given it
};

/// The figures of one pass over examples.
struct Evaluation {
  int64_t examples = 0;
  double loss = 0;      ///< mean of what add_loss() was told
  double accuracy = 0;  ///< share of examples whose label (several: whose set of labels) is right
  /// Mean f1 of the labels, as scikit-learn's f1_score without `labels`. One label a text: a label that is
  /// neither in the truth nor in the predictions is left out, one in only one of them counts as 0. Several:
  /// every label of the model counts, as columns of an indicator do. An unseen label counts as 0.
  double macro_f1 = 0;
  double micro_f1 = 0;  ///< f1 of the sums of tp, fp and fn; equals the accuracy for one label a text
  std::vector<LabelScore> labels;               ///< all of the model's labels, those of no example too
  std::vector<std::vector<int64_t>> confusion;  ///< [K][K], row truth, column prediction; empty for sets
  std::map<std::string, int64_t> unseen;        ///< labels that the model has not: errors all

  /// {"examples", "loss", "accuracy", "macro_f1", "micro_f1", "labels": [...], "confusion"?, "unseen"?}.
  nlohmann::json to_json() const;
  /// A table for people: a line a label, then the totals.
  std::string table() const;
  /// The confusion matrix for people: a line a true label, a column a predicted one. Empty for sets.
  std::string confusion_table() const;
};

/// The mean of losses that are told in sums.
class LossMean {
 public:
  void add(double sum, int64_t examples);
  /// 0 before the first example.
  double mean() const;

 private:
  double sum_ = 0;
  int64_t examples_ = 0;
};

/// Counts truths against predictions, for one label a text.
class Metrics {
 public:
  explicit Metrics(std::vector<std::string> labels);

  /// Labels by their number.
  /// @throws ConfigError for a number that is no label's.
  void add(int32_t truth, int32_t predicted);
  /// A truth that the model has no label for: an error, and listed.
  void add_unseen(const std::string& truth, int32_t predicted);
  /// The loss of some examples, summed.
  void add_loss(double sum, int64_t examples) { loss_.add(sum, examples); }

  Evaluation evaluation() const;

 private:
  std::vector<std::string> labels_;
  std::vector<std::vector<int64_t>> confusion_;
  std::vector<int64_t> predicted_for_unseen_;
  std::map<std::string, int64_t> unseen_;
  LossMean loss_;
};

/// Counts truths against predictions, for several labels a text, none included.
class MultiLabelMetrics {
 public:
  explicit MultiLabelMetrics(std::vector<std::string> labels);

  /// Sets of label numbers, in any order, repetitions allowed; `unseen` are names in the truth that the model
  /// has not: each is a missed label. @throws ConfigError for a number that is no label's.
  void add(std::span<const int32_t> truth, std::span<const int32_t> predicted,
           std::span<const std::string> unseen = {});
  void add_loss(double sum, int64_t examples) { loss_.add(sum, examples); }

  Evaluation evaluation() const;

 private:
  std::vector<bool> to_set(std::span<const int32_t> labels) const;

  std::vector<std::string> labels_;
  std::vector<int64_t> both_, support_, predicted_;
  std::map<std::string, int64_t> unseen_;
  int64_t examples_ = 0;
  int64_t exact_ = 0;
  LossMean loss_;
};

}  // namespace rondo
