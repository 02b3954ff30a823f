// Dead and saturated units, and what a training says of itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "inspect/model_checks.h"

namespace rondo {

namespace {

constexpr double kStuck = 0.99;                       // share of the steps
constexpr double kStill = 1e-6;                       // variance of a hidden unit that does nothing
constexpr int64_t kFewSteps = 200;                    // from which nothing is said
constexpr double kManyStuck = 0.25, kManyDead = 0.1;  // shares of the units
constexpr double kManyClipped = 0.5;                  // of the updates

/// Units of one place that were found.
struct UnitGroup {
  std::string place;
  std::vector<int64_t> units;
  int64_t of = 0;

  std::string words() const {
    const std::vector<int64_t> first(units.begin(),
                                     units.begin() + std::min<std::ptrdiff_t>(5, std::ssize(units)));
    return fmt::format("{}: {} of {} units ({}{})", place, units.size(), of, fmt::join(first, ", "),
                       std::ssize(units) > 5 ? ", ..." : "");
  }
};

void add_finding(std::vector<UnitGroup> groups, int64_t all, double many, const char* check,
                 const std::string& what, const char* advice, Diagnosis& diagnosis) {
  std::erase_if(groups, [](const UnitGroup& group) { return group.units.empty(); });
  if (groups.empty()) return;
  std::ranges::stable_sort(groups, std::greater(), [](const UnitGroup& g) { return g.units.size(); });
  Finding finding{.severity = Severity::kNote, .check = check, .what = {}, .where = {}, .advice = advice};
  int64_t found = 0;
  for (const UnitGroup& group : groups) {
    found += std::ssize(group.units);
    if (finding.where.size() < Finding::kMostPlaces) finding.where.push_back(group.words());
  }
  if (static_cast<double>(found) > many * static_cast<double>(all)) finding.severity = Severity::kWarning;
  finding.what = part_of(found, all, what);
  diagnosis.findings.push_back(std::move(finding));
}

void check_dead(std::span<const DirectionStatistics> directions, Diagnosis& diagnosis) {
  std::vector<UnitGroup> groups;
  int64_t all = 0;
  for (const DirectionStatistics& direction : directions) {
    UnitGroup group{.place = direction.place.words(), .units = {}, .of = std::ssize(direction.sum)};
    for (int64_t u = 0; u < group.of; ++u) {
      if (direction.variance(u) < kStill) group.units.push_back(u);
    }
    all += group.of;
    groups.push_back(std::move(group));
  }
  add_finding(
      std::move(groups), all, kManyDead, "dead units", "hidden units never move on these texts",
      "a smaller --hidden does as well; if many are dead, a lower --lr or other initial weights (--init) may "
      "keep them alive.",
      diagnosis);
}

void check_stuck(std::span<const DirectionStatistics> directions, Diagnosis& diagnosis) {
  std::vector<UnitGroup> groups;
  int64_t all = 0;
  for (const DirectionStatistics& direction : directions) {
    const double limit = kStuck * static_cast<double>(direction.rows);
    for (const GateCounts& gate : direction.gates) {
      const bool state = gate.gate == "h";
      UnitGroup shut{
          .place = fmt::format("{}, {} {}", direction.place.words(), gate.gate, state ? "at -1" : "shut"),
          .units = {},
          .of = std::ssize(gate.low)};
      UnitGroup open = shut;
      open.place = fmt::format("{}, {} {}", direction.place.words(), gate.gate, state ? "at 1" : "open");
      for (int64_t u = 0; u < shut.of; ++u) {
        if (static_cast<double>(gate.low[static_cast<size_t>(u)]) > limit) shut.units.push_back(u);
        if (static_cast<double>(gate.high[static_cast<size_t>(u)]) > limit) open.units.push_back(u);
      }
      all += shut.of;
      groups.push_back(std::move(shut));
      groups.push_back(std::move(open));
    }
  }
  add_finding(std::move(groups), all, kManyStuck, "saturated gates",
              "gates stand at one end (below 0.1 or above 0.9) in more than 99 % of the steps",
              "a forget gate that is always open remembers all, an output gate that is always shut says "
              "nothing; where "
              "many stand still, lower --lr, add --weight-decay, or take a smaller --hidden.",
              diagnosis);
}

std::optional<double> number(const nlohmann::json& json, const char* key) {
  if (!json.is_object() || !json.contains(key) || !json.at(key).is_number()) return std::nullopt;
  return json.at(key).get<double>();
}

/// What an evaluation of a training says; files of before may lack the last.
struct PastEvaluation {
  double update = 0, train_loss = 0, dev_loss = 0;
  bool best = false;
  std::optional<double> clipped;
};

std::vector<PastEvaluation> history_of(const nlohmann::json& metrics) {
  std::vector<PastEvaluation> history;
  if (!metrics.is_object() || !metrics.contains("history") || !metrics.at("history").is_array())
    return history;
  for (const nlohmann::json& entry : metrics.at("history")) {
    const auto update = number(entry, "update"), train = number(entry, "train_loss"),
               dev = number(entry, "dev_loss");
    if (!update || !train || !dev) continue;
    const bool best = entry.contains("best") && entry.at("best").is_boolean() && entry.at("best").get<bool>();
    history.push_back({*update, *train, *dev, best, number(entry, "clipped_share")});
  }
  return history;
}

void check_fit(const std::vector<PastEvaluation>& history, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("over-fitting");
  diagnosis.checked.emplace_back("under-fitting");
  const PastEvaluation& last = history.back();
  const auto lowest = std::ranges::min_element(history, {}, &PastEvaluation::dev_loss);
  if (last.dev_loss > 1.1 * lowest->dev_loss && last.train_loss < 0.95 * lowest->train_loss) {
    diagnosis.findings.push_back(
        {Severity::kWarning,
         "over-fitting",
         fmt::format(
             "the dev loss rose from {:.4g} at update {} to {:.4g} at the end, while the training loss fell "
             "from {:.4g} to {:.4g}",
             lowest->dev_loss, lowest->update, last.dev_loss, lowest->train_loss, last.train_loss),
         {},
         "the file holds the best state, not the last; a better one comes from more texts, more dropout "
         "(--dropout, "
         "--input-dropout, --output-dropout), --weight-decay or a smaller --hidden."});
  }
  if (history.size() < 2 || !last.best) return;
  const double before = history[history.size() - 2].dev_loss;
  if (last.dev_loss > before - 0.01 * std::abs(before)) return;
  diagnosis.findings.push_back(
      {Severity::kNote,
       "over-fitting",
       fmt::format("the dev loss still fell at the end, from {:.4g} to {:.4g} in the last evaluation", before,
                   last.dev_loss),
       {},
       "train longer (--after); the model has not learnt all it can."});
}

}  // namespace

void check_units(std::span<const DirectionStatistics> directions, Diagnosis& diagnosis) {
  if (directions.empty()) return;
  diagnosis.checked.emplace_back("dead units");
  diagnosis.checked.emplace_back("saturated gates");
  const int64_t steps = directions.front().rows;
  diagnosis.measures.push_back({"steps looked into", grouped(steps)});
  if (steps < kFewSteps) {
    diagnosis.findings.push_back(
        {Severity::kNote,
         "dead units",
         fmt::format("{} steps are too few to tell a unit that is dead from one that had nothing to do",
                     steps),
         {},
         "give more texts."});
    return;
  }
  check_dead(directions, diagnosis);
  check_stuck(directions, diagnosis);
}

void check_training(const nlohmann::json& metrics, Diagnosis& diagnosis) {
  const std::vector<PastEvaluation> history = history_of(metrics);
  if (history.empty()) return;
  check_fit(history, diagnosis);
  diagnosis.checked.emplace_back("clipping");
  const std::optional<double> clipped = history.back().clipped;
  if (clipped && *clipped > kManyClipped) {
    diagnosis.findings.push_back(
        {Severity::kWarning,
         "clipping",
         fmt::format("{} of the updates of the last epoch had their gradient clipped", percent(*clipped)),
         {},
         "a gradient that is nearly always cut has the length of --clip, whatever it was: lower --lr, or "
         "raise --clip "
         "if the loss is quiet."});
  }
  const double skipped = number(metrics, "skipped").value_or(0);
  if (skipped > 0) {
    diagnosis.findings.push_back(
        {Severity::kWarning,
         "clipping",
         fmt::format("{} updates were skipped: their gradient was infinite or undefined", skipped),
         {},
         "lower --lr or --clip; the log (--log) names the lines of the texts."});
  }
}

}  // namespace rondo
