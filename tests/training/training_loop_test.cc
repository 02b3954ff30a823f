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
  for (int64_t stop = 1; stop < 18; ++stop) EXPECT_EQ(model_bytes(options, {stop}), whole) << stop;
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

}  // namespace
}  // namespace rondo
