#include "training/metrics.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace rondo {
namespace {

double ratio(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

/// @param right  predicted and true.
LabelScore score(const std::string& label, int64_t right, int64_t support, int64_t predicted) {
  return {.label = label,
          .precision = ratio(right, predicted),
          .recall = ratio(right, support),
          .f1 = ratio(2 * right, support + predicted),
          .support = support,
          .predicted = predicted};
}

int64_t total(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [name, count] : counts) sum += count;
  return sum;
}

/// Mean f1 of the labels, and of the unseen ones, which have f1 0.
/// @param occurring_only  leaves out labels that stand in neither the truth nor the predictions.
double macro_f1(const std::vector<LabelScore>& labels, size_t unseen, bool occurring_only) {
  double sum = 0;
  size_t count = unseen;
  for (const LabelScore& label : labels) {
    if (occurring_only && label.support + label.predicted == 0) continue;
    sum += label.f1;
    ++count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

void check_label(int64_t label, size_t labels) {
  if (label >= 0 && label < static_cast<int64_t>(labels)) return;
  throw_error<ConfigError>("metrics: label {} is not one of 0 .. {}", label,
                           static_cast<int64_t>(labels) - 1);
}

/// Letters, not bytes: a column of a table is as wide as what is seen.
size_t width(const std::string& text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string pad(const std::string& text, size_t columns) {
  return text + std::string(columns - std::min(columns, width(text)), ' ');
}

}  // namespace

nlohmann::json Evaluation::to_json() const {
  nlohmann::json json{{"examples", examples},
                      {"loss", loss},
                      {"accuracy", accuracy},
                      {"macro_f1", macro_f1},
                      {"micro_f1", micro_f1}};
  nlohmann::json& list = json["labels"] = nlohmann::json::array();
  for (const LabelScore& label : labels) {
    list.push_back({{"label", label.label},
                    {"precision", label.precision},
                    {"recall", label.recall},
                    {"f1", label.f1},
                    {"support", label.support},
                    {"predicted", label.predicted}});
  }
  if (!confusion.empty()) json["confusion"] = confusion;
  if (!unseen.empty()) json["unseen"] = unseen;
  return json;
}

std::string Evaluation::table() const {
  size_t columns = 5;
  for (const LabelScore& label : labels) columns = std::max(columns, width(label.label));
  // Without a confusion matrix texts may have several labels.
  std::string out = fmt::format(
      "accuracy{} {:.4f}, macro F1 {:.4f}, micro F1 {:.4f}, loss {:.4f}, {} examples\n\n",
      confusion.empty() ? " (all labels of a text right)" : "", accuracy, macro_f1, micro_f1, loss, examples);
  out += pad("label", columns) + "  precision  recall      f1  support\n";
  for (const LabelScore& s : labels) {
    out += fmt::format("{}  {:9.4f}  {:6.4f}  {:6.4f}  {:7d}\n", pad(s.label, columns), s.precision, s.recall,
                       s.f1, s.support);
  }
  for (const auto& [name, count] : unseen) {
    out += fmt::format("label \"{}\" ({} examples) is not in the model: counted as errors\n", name, count);
  }
  return out;
}

std::string Evaluation::confusion_table() const {
  if (confusion.empty()) return "";
  size_t columns = 16;
  for (const LabelScore& label : labels) columns = std::max(columns, width(label.label));
  std::string out = pad("truth, predicted", columns);
  for (size_t k = 0; k < confusion.size(); ++k) out += fmt::format("  {:>6}", fmt::format("[{}]", k + 1));
  out += '\n';
  for (size_t truth = 0; truth < confusion.size(); ++truth) {
    out += pad(fmt::format("[{}] {}", truth + 1, labels[truth].label), columns);
    for (const int64_t count : confusion[truth]) out += fmt::format("  {:>6}", count);
    out += '\n';
  }
  return out;
}

void LossMean::add(double sum, int64_t examples) {
  sum_ += sum;
  examples_ += examples;
}

double LossMean::mean() const { return examples_ > 0 ? sum_ / static_cast<double>(examples_) : 0; }

Metrics::Metrics(std::vector<std::string> labels)
    : labels_(std::move(labels)),
      confusion_(labels_.size(), std::vector<int64_t>(labels_.size())),
      predicted_for_unseen_(labels_.size()) {}

void Metrics::add(int32_t truth, int32_t predicted) {
  check_label(truth, labels_.size());
  check_label(predicted, labels_.size());
  ++confusion_[truth][predicted];
}

void Metrics::add_unseen(const std::string& truth, int32_t predicted) {
  check_label(predicted, labels_.size());
  ++predicted_for_unseen_[predicted];
  ++unseen_[truth];
}

Evaluation Metrics::evaluation() const {
  Evaluation result;
  result.loss = loss_.mean();
  result.confusion = confusion_;
  result.unseen = unseen_;
  int64_t right = 0;
  result.examples = total(unseen_);
  for (size_t k = 0; k < labels_.size(); ++k) {
    int64_t support = 0;
    int64_t predicted = predicted_for_unseen_[k];
    for (size_t other = 0; other < labels_.size(); ++other) {
      support += confusion_[k][other];
      predicted += confusion_[other][k];
    }
    right += confusion_[k][k];
    result.examples += support;
    result.labels.push_back(score(labels_[k], confusion_[k][k], support, predicted));
  }
  result.accuracy = result.micro_f1 = ratio(right, result.examples);
  result.macro_f1 = macro_f1(result.labels, unseen_.size(), true);
  return result;
}

MultiLabelMetrics::MultiLabelMetrics(std::vector<std::string> labels)
    : labels_(std::move(labels)),
      both_(labels_.size()),
      support_(labels_.size()),
      predicted_(labels_.size()) {}

std::vector<bool> MultiLabelMetrics::to_set(std::span<const int32_t> labels) const {
  std::vector<bool> set(labels_.size());
  for (int32_t label : labels) {
    check_label(label, labels_.size());
    set[label] = true;
  }
  return set;
}

void MultiLabelMetrics::add(std::span<const int32_t> truth, std::span<const int32_t> predicted,
                            std::span<const std::string> unseen) {
  const std::vector<bool> truth_set = to_set(truth);
  const std::vector<bool> predicted_set = to_set(predicted);
  for (size_t k = 0; k < labels_.size(); ++k) {
    support_[k] += truth_set[k];
    predicted_[k] += predicted_set[k];
    both_[k] += truth_set[k] && predicted_set[k];
  }
  for (const std::string& name : unseen) ++unseen_[name];
  ++examples_;
  exact_ += truth_set == predicted_set && unseen.empty();
}

Evaluation MultiLabelMetrics::evaluation() const {
  Evaluation result;
  result.examples = examples_;
  result.loss = loss_.mean();
  result.accuracy = ratio(exact_, examples_);
  result.unseen = unseen_;
  int64_t both = 0;
  int64_t either = total(unseen_);
  for (size_t k = 0; k < labels_.size(); ++k) {
    both += both_[k];
    either += support_[k] + predicted_[k];
    result.labels.push_back(score(labels_[k], both_[k], support_[k], predicted_[k]));
  }
  result.micro_f1 = ratio(2 * both, either);
  result.macro_f1 = macro_f1(result.labels, unseen_.size(), false);
  return result;
}

}  // namespace rondo
