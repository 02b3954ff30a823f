// The loop that trains any model: steps, clipping, schedule, evaluation, early stopping, checkpoints, logs,
// exact resume.
//   TrainingLoop loop({.backend = backend, .task = task, .options = options, .files = files, .observer =
//   observer}); LoopOutcome outcome = loop.run();   // the task's parameters now hold the best dev state
#pragma once

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/profile.h"
#include "storage/checkpoint.h"
#include "tensor/tape.h"
#include "training/averaging.h"
#include "training/optimizer.h"
#include "training/run_log.h"
#include "training/run_page.h"
#include "training/schedule.h"
#include "training/tensorboard.h"
#include "training/training_observer.h"
#include "training/training_options.h"

namespace rondo {

/// What the loop asks of a model and its data.
class TrainingTask {
 public:
  virtual ~TrainingTask() = default;

  struct Step {
    Variable loss;  ///< [1], the mean that is minimised
    int64_t tokens = 0;
    std::vector<int64_t> lines;  ///< of the input, to name a batch that went wrong
    double rate_factor = 1;      ///< the learning rate of this update is multiplied by it
    /// What is told as the loss, where the one that is minimised has other parts too; those, for the log.
    std::optional<double> told = {};
    std::vector<std::pair<std::string, double>> parts = {};
  };
  struct Dev {
    double loss = 0;
    double metric = 0;  ///< better when higher: an accuracy, or a loss with its sign changed
  };

  virtual ParameterSet& parameters() = 0;
  virtual int64_t updates_per_epoch() const = 0;
  /// Puts the forward pass of batch `index` of `epoch` on the tape. Depends on nothing but these two, the
  /// parameters and state(); within an epoch the index rises by one from call to call.
  virtual Step step(Tape& tape, int64_t epoch, int64_t index) = 0;
  /// What one step leaves for the next beside the parameters, such as a language model's carried states: kept
  /// in checkpoints. evaluate() does not change it.
  virtual NamedTensors state() const { return {}; }
  /// Takes what state() of another run of this identity() gave.
  /// @throws FormatError if it does not fit.
  virtual void restore_state(const NamedTensors&) {}
  virtual Dev evaluate() = 0;
  /// The gates over a few dev texts with the present parameters, for a report; changes nothing. A task
  /// without gates has none.
  virtual GateStatistics gates() { return {}; }
  /// The model with its present parameters.
  virtual ModelFile pack(nlohmann::json metrics) const = 0;
  /// What must be equal for a run to be resumed: options and a fingerprint of the data.
  virtual nlohmann::json identity() const = 0;
};

struct LoopOutcome {
  bool stopped = false;  ///< by the observer, with a checkpoint to resume from
  bool early = false;    ///< before what was planned: --patience
  int64_t updates = 0;
  int64_t skipped = 0;
  TrainingEvaluation best;
};

struct LoopParts {
  Backend& backend;
  TrainingTask& task;
  const LoopOptions& options;
  const TrainingFiles& files;
  TrainingObserver& observer;
  Profile* profile = nullptr;  ///< filled where it is given
};

class TrainingLoop {
 public:
  /// Reads OUTPUT.checkpoint where --resume finds one.
  /// @throws ConfigError if it was made with other options or data; FormatError if it is damaged.
  explicit TrainingLoop(const LoopParts& parts);

  static std::string checkpoint_path(const TrainingFiles& files) { return files.output + ".checkpoint"; }

  /// Trains to the end, writes the model file, removes the checkpoint.
  /// @throws Error after kMaxSkipped steps in a row without finite gradients, or if no evaluation had a
  /// finite loss; the best state so far, if there is one, is saved before.
  LoopOutcome run();
  /// The same after telling the observer what is planned.
  LoopOutcome run(TrainingPlan plan);

 private:
  static constexpr int64_t kMaxSkipped = 10;
  static constexpr int64_t kLogEvery = 100;
  using Clock = std::chrono::steady_clock;

  // All that a checkpoint must carry besides tensors; sums are of the present epoch.
  struct State {
    int64_t update = 0;
    double loss_sum = 0;
    int64_t steps = 0, clipped = 0;
    int64_t skipped = 0, skipped_in_a_row = 0;
    int64_t bad_evaluations = 0;
    bool ended = false;
    TrainingEvaluation best;
    nlohmann::json history = nlohmann::json::array();
    int64_t log_position = -1;  ///< -1: there is no log

    nlohmann::json to_json() const;
    void from_json(const nlohmann::json& json);
  };

  void restore();
  void open_logs();
  void open_page(const TrainingPlan& plan);
  template <class Tell>
  void tell_page(Tell tell);
  void step();
  void skip(const TrainingTask::Step& step);
  [[noreturn]] void fail(const std::string& reason);
  bool evaluation_is_due() const;
  void evaluate();
  TrainingEvaluation measure();
  void keep(const TrainingEvaluation& evaluation);
  void tell(const TrainingEvaluation& evaluation);
  void keep_best();
  void take_best();
  void try_checkpoint();
  void save_checkpoint();
  void save_model();
  void report_progress(const TrainingTask::Step& step, const Optimizer::StepReport& report, double rate);
  nlohmann::json metrics() const;
  int64_t epoch() const { return state_.update / per_epoch_; }

  LoopParts parts_;
  Optimizer optimizer_;
  Averaging averaging_;
  Schedule schedule_;
  int64_t per_epoch_;
  int64_t updates_;
  State state_;
  bool resumed_ = false;
  NamedTensors best_;
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<EventFile> events_;
  std::unique_ptr<RunPage> page_;
  nlohmann::json page_state_;  ///< of the checkpoint, until the page is opened
  bool page_failed_ = false;   ///< the last time it was written
  Clock::time_point begun_, checkpointed_;
  int64_t begun_at_ = 0;
  int64_t tokens_ = 0;
};

}  // namespace rondo
