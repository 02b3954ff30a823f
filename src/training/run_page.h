// The page that shows a training while it runs and when it has ended: one HTML file with its figures inside,
// which loads nothing and, while the run goes on, itself again.
//   RunPage page("run.html", "rondo train classify -i news.csv");  page.planned(plan, "news.rondo");
//   page.progressed(progress);  page.evaluated(evaluation, gates);  page.ended(RunState::kDone, "");
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "training/run_curve.h"
#include "training/training_observer.h"

namespace rondo {

enum class RunState { kRunning, kDone, kStopped, kFailed };

/// Written by an AtomicFile: a reader sees the page before or this one. Every function that writes throws
/// IoError.
class RunPage {
 public:
  /// @param command  what the person typed, to be shown.
  RunPage(std::string path, std::string command) : path_(std::move(path)), command_(std::move(command)) {}

  void planned(const TrainingPlan& plan, const std::string& output);
  /// Writes if the last time is long ago: two seconds, and so long that writing takes 2 % of the time at
  /// most.
  void progressed(const TrainingProgress& progress);
  /// @param evaluation  as the log has it.
  void evaluated(nlohmann::json evaluation, std::span<const GateShare> gates);
  void skipped() { ++skipped_; }
  void ended(RunState state, const std::string& why);
  void write();

  /// What a checkpoint keeps of it.
  nlohmann::json state() const;
  /// @param state  of a checkpoint, or null: it had no page.  @param history  of the evaluations before.
  /// @throws FormatError; nlohmann::json::exception.
  void restore(const nlohmann::json& state, const nlohmann::json& history);

 private:
  using Clock = std::chrono::steady_clock;
  nlohmann::json figures() const;

  std::string path_, command_;
  nlohmann::json plan_ = nlohmann::json::object();
  nlohmann::json evaluations_ = nlohmann::json::array(), gates_ = nlohmann::json::array();
  nlohmann::json best_;  ///< of all evaluations, or null
  RunCurve curve_;
  TrainingProgress last_;
  int64_t skipped_ = 0;
  double seconds_before_ = 0;  ///< of the runs that this one goes on from
  RunState state_ = RunState::kRunning;
  std::string why_;
  Clock::time_point begun_ = Clock::now(), written_;
  Clock::duration pause_{};
};

}  // namespace rondo
