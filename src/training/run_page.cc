#include "training/run_page.h"

#include <algorithm>

#include "base/files.h"
#include "base/options.h"
#include "training/assets.h"

namespace rondo {

template <>
inline constexpr auto kNames<RunState> =
    std::array{std::pair{RunState::kRunning, "running"}, std::pair{RunState::kDone, "done"},
               std::pair{RunState::kStopped, "stopped"}, std::pair{RunState::kFailed, "failed"}};

namespace {

// What stands in the page where its figures belong.
constexpr std::string_view kPlace = "{\"figures\": null}";

constexpr auto kPause = std::chrono::seconds(2);
constexpr int kShare = 50;  // pauses are so many times as long as writing takes

// Evaluations on the page, and gates in it and in checkpoints: of more only some are shown.
constexpr size_t kMostEvaluations = 2000, kMostGates = 200;

nlohmann::json to_json(const GateShare& share) {
  return {{"place", share.place.words()},
          {"gate", share.gate},
          {"low", shortest(static_cast<float>(share.low))},
          {"high", shortest(static_cast<float>(share.high))}};
}

// At most `most` entries of a list, evenly spread, the last one among them.
nlohmann::json thinned(const nlohmann::json& list, size_t most) {
  const size_t stride = (list.size() + most - 1) / most;
  if (stride <= 1) return list;
  nlohmann::json kept = nlohmann::json::array();
  for (size_t i = (list.size() - 1) % stride; i < list.size(); i += stride) kept.push_back(list[i]);
  return kept;
}

// As the text of a script: nothing in it ends the script or begins a comment.
std::string script_text(const nlohmann::json& json) {
  std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (size_t at = 0; (at = text.find('<', at)) != std::string::npos; at += 6) text.replace(at, 1, "\\u003c");
  return text;
}

}  // namespace

void RunPage::planned(const TrainingPlan& plan, const std::string& output) {
  plan_ = {{"output", output},
           {"metric", plan.metric},
           {"input_format", plan.input_format},
           {"dev_format", plan.dev_format},
           {"examples", plan.examples},
           {"dev_examples", plan.dev_examples},
           {"documents", plan.documents},
           {"vocabulary", plan.vocabulary},
           {"source_vocabulary", plan.source_vocabulary},
           {"labels", plan.labels},
           {"unknown_share", plan.unknown_share},
           {"parameters", plan.parameters},
           {"memory_bytes", plan.memory_bytes},
           {"updates", plan.updates},
           {"updates_per_epoch", plan.updates_per_epoch},
           {"resumed_at", plan.resumed_at},
           {"threads", plan.threads},
           {"backend", plan.backend},
           {"warnings", plan.warnings}};
  last_.update = plan.resumed_at;
}

void RunPage::progressed(const TrainingProgress& progress) {
  last_ = progress;
  curve_.add(progress);
  if (Clock::now() - written_ >= pause_) write();
}

void RunPage::evaluated(nlohmann::json evaluation, std::span<const GateShare> gates) {
  if (!gates.empty()) {
    nlohmann::json shares = nlohmann::json::array();
    for (const GateShare& share : gates) shares.push_back(to_json(share));
    gates_.push_back({{"update", evaluation.at("update")}, {"shares", shares}});
    if (gates_.size() > 2 * kMostGates) gates_ = thinned(gates_, kMostGates);
  }
  if (evaluation.at("best")) best_ = evaluation;
  evaluations_.push_back(std::move(evaluation));
  if (Clock::now() - written_ >= pause_ / 4) write();
}

void RunPage::ended(RunState state, const std::string& why) {
  state_ = state;
  why_ = why;
  write();
}

void RunPage::write() {
  const auto begun = Clock::now();
  std::string page(training::run_page_html());
  page.replace(page.find(kPlace), kPlace.size(), script_text(figures()));
  written_ = begun;  // a disk that is full is not tried at every update
  pause_ = std::max<Clock::duration>(kPause, kShare * (Clock::now() - begun));
  write_file(path_, page);
  written_ = Clock::now();
  pause_ = std::max<Clock::duration>(kPause, kShare * (written_ - begun));
}

nlohmann::json RunPage::figures() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {{"state", name_of(state_)},
          {"why", why_},
          {"command", command_},
          {"written_ms", std::chrono::duration_cast<std::chrono::milliseconds>(now).count()},
          {"pause_ms", std::chrono::duration_cast<std::chrono::milliseconds>(pause_).count()},
          {"plan", plan_},
          {"update", last_.update},
          {"skipped", skipped_},
          {"seconds", seconds_before_ + seconds},
          {"seconds_left", last_.seconds_left},
          {"tokens_per_second", last_.tokens_per_second},
          {"curve", curve_.to_json()},
          {"evaluations", thinned(evaluations_, kMostEvaluations)},
          {"best", best_},
          {"gates", gates_}};
}

nlohmann::json RunPage::state() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begun_).count();
  return {{"curve", curve_.to_json()},
          {"gates", gates_},
          {"skipped", skipped_},
          {"seconds", seconds_before_ + seconds}};
}

void RunPage::restore(const nlohmann::json& state, const nlohmann::json& history) {
  evaluations_ = history;
  for (const nlohmann::json& evaluation : history) {
    if (evaluation.at("best")) best_ = evaluation;
  }
  if (state.is_null()) return;
  curve_ = RunCurve::from_json(state.at("curve"));
  gates_ = state.at("gates");
  skipped_ = state.at("skipped").get<int64_t>();
  seconds_before_ = state.at("seconds").get<double>();
}

}  // namespace rondo
