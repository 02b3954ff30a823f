// What a training tells while it runs. The library prints nothing: a caller draws, logs or ignores this.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "layers/gate_statistics.h"

namespace rondo {

/// Known before the first step.
struct TrainingPlan {
  std::string input_format, dev_format;
  int64_t examples = 0, dev_examples = 0;
  int64_t vocabulary = 0, labels = 0;  ///< no labels: a language model, whose examples are tokens
  int64_t documents = 0;               ///< of a language model
  int64_t source_vocabulary = 0;       ///< of a translator, whose vocabulary is the target's; else 0
  int64_t pictures = 0;                ///< of a captioner, train and dev; else 0
  double unknown_share = 0;            ///< of the dev tokens
  int64_t parameters = 0;              ///< trained and frozen numbers
  int64_t memory_bytes = 0;            ///< that the process will hold at most: an estimate, within 15 %
  int64_t updates = 0, updates_per_epoch = 0;
  int64_t resumed_at = 0;  ///< update that a resumed run begins with
  int threads = 0;
  std::string backend;
  std::string metric = "dev metric";  ///< what TrainingTask::Dev::metric is: "accuracy", "F1", "perplexity"
                                      ///< (its logarithm with the sign changed), "BLEU"
  std::vector<std::string> warnings;
};

/// After each update.
struct TrainingProgress {
  int64_t update = 0;    ///< 1 after the first
  int64_t updates = 0;   ///< planned
  double epoch = 0;      ///< 1.5 in the middle of the second
  double loss = 0;       ///< mean over this epoch so far
  double step_loss = 0;  ///< of this update
  double rate = 0;       ///< by the schedule; a step may scale its own
  double gradient_norm = 0;
  bool clipped = false;      ///< this update
  double clipped_share = 0;  ///< of the updates of this epoch
  double tokens_per_second = 0;
  double seconds_left = 0;
  double dev_metric = std::numeric_limits<double>::quiet_NaN();  ///< the best; NaN: none yet
};

/// After each evaluation.
struct TrainingEvaluation {
  int64_t update = 0;
  int64_t epoch = 0;
  double train_loss = 0;
  double clipped_share = 0;  ///< of the updates of this epoch so far
  double dev_loss = 0;
  double dev_metric = 0;  ///< TrainingTask::Dev::metric
  bool best = false;
  bool averaged = false;              ///< of the average of the parameters over the updates
  std::vector<GateShare> gates = {};  ///< on a few dev texts, where a report is written
};

/// A step whose loss or gradients were infinite or not a number: nothing was changed.
struct SkippedStep {
  int64_t update = 0;
  std::vector<int64_t> lines;  ///< of the input, of the batch's texts
};

/// "3, 5, 17" in rising order; of many the first 32 and how many more there are.
std::string line_list(std::vector<int64_t> lines);

class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void planned(const TrainingPlan&) {}
  virtual void progressed(const TrainingProgress&) {}
  virtual void evaluated(const TrainingEvaluation&) {}
  virtual void skipped(const SkippedStep&) {}
  /// A checkpoint could not be written: the run goes on, and would be resumed from the one before.
  virtual void checkpoint_failed(const std::string&) {}
  /// The report could not be written: the run goes on, and tries again.
  virtual void report_failed(const std::string&) {}
  /// Asked after each update: true saves a checkpoint and ends the run, to be resumed later.
  virtual bool stop_wanted() { return false; }
};

}  // namespace rondo
