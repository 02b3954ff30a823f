// Draws a training on standard error: a plan first, one live line, a line an evaluation.
#pragma once

#include <chrono>
#include <string>

#include "training/training_observer.h"

namespace rondo::app {

/// What TrainingTask::Dev::metric is: an accuracy or F1, the loss with its sign changed, or BLEU.
enum class DevMetric { kShare, kPerplexity, kBleu };

class Progress final : public TrainingObserver {
 public:
  /// Ctrl-C and SIGTERM end the run with a checkpoint from now on.
  Progress();
  ~Progress() override;

  void planned(const TrainingPlan& plan) override;
  void progressed(const TrainingProgress& progress) override;
  void evaluated(const TrainingEvaluation& evaluation) override;
  void skipped(const SkippedStep& step) override;
  void checkpoint_failed(const std::string& why) override;
  void report_failed(const std::string& why) override;
  bool stop_wanted() override;

 private:
  void clear_line();

  bool live_;  ///< standard error is a terminal
  bool line_shown_ = false;
  DevMetric metric_ = DevMetric::kShare;
  TrainingProgress last_;
  std::chrono::steady_clock::time_point begun_, drawn_;
};

/// 75 -> "1:15".
std::string clock_text(double seconds);
/// 12345678 -> "12.3 M".
std::string count_text(double count);
/// exp(loss): 2.5 -> "12.18"; from a million on "3.5e+171".
std::string perplexity_text(double loss);

}  // namespace rondo::app
