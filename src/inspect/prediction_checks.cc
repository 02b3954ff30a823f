// Confusion and calibration: see model_checks.h.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "inspect/model_checks.h"

namespace rondo {

namespace {

// The pairs of labels that are confused most.
void check_confusion(const Predictions& p, int64_t right, const std::string& noun, Diagnosis& diagnosis) {
  struct Confused {
    int64_t count = 0;
    size_t first = 0;
  };
  std::map<std::pair<int32_t, int32_t>, Confused> pairs;
  std::map<int32_t, int64_t> truths;
  for (size_t i = 0; i < p.truth.size(); ++i) {
    ++truths[p.truth[i]];
    if (p.truth[i] == p.predicted[i]) continue;
    Confused& confused = pairs[{p.truth[i], p.predicted[i]}];
    if (confused.count++ == 0) confused.first = i;
  }
  std::vector<std::pair<std::pair<int32_t, int32_t>, Confused>> order(pairs.begin(), pairs.end());
  std::ranges::stable_sort(order, std::greater(), [](const auto& pair) { return pair.second.count; });
  const int64_t wrong = std::ssize(p.truth) - right;
  if (wrong == 0) return;
  const auto name = [&](int32_t label) { return p.labels[static_cast<size_t>(label)]; };
  Finding finding{
      .severity = Severity::kNote,
      .check = "confusion",
      .what = fmt::format("{} are told wrongly; {} is taken for {} most often",
                          part_of(wrong, std::ssize(p.truth), noun), name(order[0].first.first),
                          name(order[0].first.second)),
      .where = {},
      .advice =
          "look at some of them: either their labels are doubtful, or the texts of one of the two "
          "need more examples that tell them apart."};
  for (const auto& [pair, confused] : order) {
    if (finding.where.size() == Finding::kMostPlaces) break;
    finding.where.push_back(fmt::format("{} taken for {}: {} of {}, the first at {}", name(pair.first),
                                        name(pair.second), grouped(confused.count),
                                        grouped(truths[pair.first]),
                                        p.places.empty() ? "" : p.places[confused.first]));
  }
  diagnosis.findings.push_back(std::move(finding));
}

void check_told(const Predictions& p, int64_t right, const std::string& noun, Diagnosis& diagnosis) {
  std::vector<int64_t> truths(p.labels.size(), 0), told(p.labels.size(), 0);
  for (size_t i = 0; i < p.truth.size(); ++i) {
    ++truths[static_cast<size_t>(p.truth[i])];
    ++told[static_cast<size_t>(p.predicted[i])];
  }
  const int64_t most = std::ranges::max(truths);
  if (most < std::ssize(p.truth) && right <= most) {
    diagnosis.findings.push_back(
        {Severity::kProblem,
         "confusion",
         fmt::format("the model is right on {}; always telling the most frequent label is right on {}",
                     part_of(right, std::ssize(p.truth), noun), grouped(most)),
         {},
         "it has learnt nothing yet: train longer, with another --lr, or look whether these are its texts."});
  }
  std::vector<std::string> never;
  for (size_t k = 0; k < p.labels.size(); ++k) {
    if (truths[k] >= 5 && told[k] == 0)
      never.push_back(fmt::format("{}: {} {}", p.labels[k], grouped(truths[k]), noun));
  }
  if (never.empty()) return;
  diagnosis.findings.push_back({Severity::kWarning, "confusion",
                                fmt::format("{} of {} labels are never told", never.size(), p.labels.size()),
                                std::move(never),
                                "give them more examples, or train with --class-weights balanced."});
}

}  // namespace

void check_predictions(const Predictions& p, const std::string& noun, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("confusion");
  diagnosis.checked.emplace_back("calibration");
  if (p.truth.empty()) return;
  int64_t right = 0;
  double confidence = 0;
  for (size_t i = 0; i < p.truth.size(); ++i) {
    right += p.truth[i] == p.predicted[i];
    confidence += p.probability[i];
  }
  const auto all = static_cast<double>(p.truth.size());
  const double accuracy = static_cast<double>(right) / all;
  confidence /= all;
  diagnosis.measures.push_back(
      {"the model is right on", fmt::format("{}, with a mean probability of {}",
                                            part_of(right, std::ssize(p.truth), noun), percent(confidence))});
  check_told(p, right, noun, diagnosis);
  check_confusion(p, right, noun, diagnosis);
  if (std::abs(confidence - accuracy) < 0.05) return;
  diagnosis.findings.push_back(
      {Severity::kWarning,
       "calibration",
       fmt::format("the model is {}: a mean probability of {}, right on {}",
                   confidence > accuracy ? "too sure of itself" : "surer to be right than it says",
                   percent(confidence), percent(accuracy)),
       {},
       confidence > accuracy
           ? "do not take its probabilities for what they say; more dropout or fewer epochs bring them down."
           : "a probability of its own scale is of use for ranking, not for a threshold; train longer."});
}

}  // namespace rondo
