// What the loop does for any task.
#include "training/training_loop.h"

#include <gtest/gtest.h>

#include "kernels/reference/reference_backend.h"
#include "storage/test_files.h"
#include "training/small_task.h"

namespace rondo {
namespace {

/// Stops after the update `at`.
class Stopper final : public TrainingObserver {
 public:
  explicit Stopper(int64_t at) : at_(at) {}
  void progressed(const TrainingProgress& progress) override { update_ = progress.update; }
  bool stop_wanted() override { return update_ == at_; }

 private:
  int64_t at_, update_ = 0;
};

LoopOptions sgd(const std::string& after) {
  return {
      .after = after, .patience = 0, .optimizer = {.optimizer = OptimizerRule::kSgd, .lr = 0.01, .clip = 0}};
}

/// The bytes of the model that a run of SmallTask writes, stopped after some updates and resumed.
std::string model_bytes(const LoopOptions& options, std::initializer_list<int64_t> stops) {
  const TestFolder folder;
  TrainingFiles files{.output = folder.file("a.rondo"), .resume = true};
  const auto backend = make_reference_backend();
  for (const int64_t stop : stops) {
    SmallTask task;
    Stopper stopper(stop);
    EXPECT_TRUE(TrainingLoop({*backend, task, options, files, stopper}).run().stopped);
  }
  SmallTask task;
  TrainingObserver silent;
  EXPECT_FALSE(TrainingLoop({*backend, task, options, files, silent}).run().stopped);
  return get_bytes(files.output);
}

TEST(TrainingLoop, ResumesWithTheStateOfItsTask) {
  const LoopOptions options = sgd("3e");
  const std::string whole = model_bytes(options, {});
  for (int64_t stop = 1; stop < 18; stop += 3) EXPECT_EQ(model_bytes(options, {stop}), whole) << stop;
  EXPECT_EQ(model_bytes(options, {2, 3, 9, 12}), whole);
}

TEST(TrainingLoop, MultipliesTheLearningRateByTheFactorOfTheStep) {
  const auto moved = [](bool varies) {
    const TestFolder folder;
    const TrainingFiles files{.output = folder.file("a.rondo")};
    const auto backend = make_reference_backend();
    SmallTask task;
    task.varies_rate = varies;
    const double before = task.first();
    TrainingObserver silent;
    const LoopOptions options = sgd("1u");
    TrainingLoop({*backend, task, options, files, silent}).run();
    return before - task.first();
  };
  const double factor = 0.5 + Stream(0, {0}).uniform(9);
  EXPECT_NEAR(moved(true) / moved(false), factor, 1e-4);
}

/// Keeps the evaluations and, after each update, the weights.
class Witness final : public TrainingObserver {
 public:
  explicit Witness(const SmallTask& task) : task_(task) {}
  void progressed(const TrainingProgress&) override { weights.push_back(task_.first()); }
  void evaluated(const TrainingEvaluation& evaluation) override { evaluations.push_back(evaluation); }

  std::vector<double> weights;
  std::vector<TrainingEvaluation> evaluations;

 private:
  const SmallTask& task_;
};

/// A run whose dev losses are given; `task` holds what would be saved.
struct Replay {
  Replay(LoopOptions options, std::vector<double> losses) {
    const TestFolder folder;
    const TrainingFiles files{.output = folder.file("a.rondo")};
    const auto backend = make_reference_backend();
    task.dev = [this, losses](const SmallTask& now) {
      shown.push_back(now.first());
      return losses.at(shown.size() - 1);
    };
    outcome = TrainingLoop({*backend, task, options, files, witness}).run();
  }

  SmallTask task;
  Witness witness{task};
  std::vector<double> shown;  ///< the weight that each evaluation saw
  LoopOutcome outcome;
};

double mean_of(const std::vector<double>& values, size_t begin, size_t end) {
  double sum = 0;
  for (size_t i = begin; i < end; ++i) sum += values[i];
  return sum / static_cast<double>(end - begin);
}

TEST(TrainingLoop, EvaluatesAndSavesTheAverageWhileTheParametersAreTrainedOn) {
  LoopOptions options = sgd("3e");
  const Replay plain(options, {3, 2, 1});
  options.averaging.averaging = AveragingKind::kAlways;
  const Replay averaged(options, {3, 1, 2});
  EXPECT_EQ(averaged.witness.weights, plain.witness.weights);
  ASSERT_EQ(averaged.shown.size(), 3U);
  for (size_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_NEAR(averaged.shown[epoch], mean_of(plain.witness.weights, 0, 6 * (epoch + 1)), 1e-5);
    EXPECT_TRUE(averaged.witness.evaluations[epoch].averaged);
  }
  EXPECT_EQ(averaged.task.first(), averaged.shown[1]) << "the best";
}

TEST(TrainingLoop, NtAveragesFromTheEvaluationThatTriggersItAndStopsEarlyOnlyThen) {
  LoopOptions options = sgd("9e");
  options.patience = 2;
  options.averaging = {.averaging = AveragingKind::kNt, .averaging_patience = 1};
  const Replay run(options, {5, 4, 4, 4, 4.5, 3, 3.5, 3.5, 9});
  ASSERT_EQ(run.shown.size(), 8U) << "two bad ones before the trigger do not stop it, two after it do";
  const std::vector<double>& weights = run.witness.weights;
  EXPECT_EQ(run.shown[4], weights[29]);
  EXPECT_FALSE(run.witness.evaluations[4].averaged);
  EXPECT_NEAR(run.shown[5], mean_of(weights, 30, 36), 1e-5);
  EXPECT_NEAR(run.shown[7], mean_of(weights, 30, 48), 1e-5);
  EXPECT_EQ(run.outcome.best.epoch, 6);
  EXPECT_EQ(run.task.first(), run.shown[5]);
}

TEST(TrainingLoop, ResumesWithItsAverages) {
  LoopOptions options = sgd("4e");
  options.averaging.averaging = AveragingKind::kAlways;
  options.evaluate_every = 5;
  const std::string whole = model_bytes(options, {});
  for (int64_t stop = 1; stop < 24; stop += 4) EXPECT_EQ(model_bytes(options, {stop}), whole) << stop;
  // The dev loss of SmallTask falls to zero and rises again: the trigger lies inside the run.
  options.averaging = {.averaging = AveragingKind::kNt, .averaging_patience = 1};
  options.optimizer.lr = 0.1;
  const std::string triggered = model_bytes(options, {});
  EXPECT_NE(triggered.find("averaged"), std::string::npos);
  for (int64_t stop = 1; stop < 24; stop += 2) EXPECT_EQ(model_bytes(options, {stop}), triggered) << stop;
}

TEST(TrainingLoop, EvaluatesAsOftenAsItIsTold) {
  LoopOptions options = sgd("2e");
  options.evaluate_every = 5;
  const Replay run(options, {4, 1, 3});
  ASSERT_EQ(run.witness.evaluations.size(), 3U);
  EXPECT_EQ(run.witness.evaluations[0].update, 5);
  EXPECT_EQ(run.witness.evaluations[1].update, 10);
  EXPECT_EQ(run.witness.evaluations[2].update, 12) << "and at the end";
  EXPECT_EQ(run.witness.evaluations[1].epoch, 2);
  EXPECT_TRUE(run.witness.evaluations[1].best) << "a metric below zero is one, too";
  EXPECT_EQ(run.outcome.best.update, 10);
  EXPECT_EQ(run.task.first(), run.shown[1]);
}

}  // namespace
}  // namespace rondo
