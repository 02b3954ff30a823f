// A checkpoint that cannot be written costs a checkpoint, not the run.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tensor/device.h"
#include "training/train_classifier.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

/// Puts a folder where the checkpoint of the first epoch's end would go, and takes it away after.
class Obstacle final : public TrainingObserver {
 public:
  explicit Obstacle(std::string path) : path_(std::move(path)) {}

  void evaluated(const TrainingEvaluation& evaluation) override {
    if (evaluation.epoch != 1) return;
    fs::rename(path_, path_ + ".kept");
    fs::create_directories(path_ + "/in the way");
  }
  void progressed(const TrainingProgress&) override {
    if (!fs::is_directory(path_)) return;
    fs::remove_all(path_);
    fs::rename(path_ + ".kept", path_);
  }
  void checkpoint_failed(const std::string& why) override { reasons.push_back(why); }

  std::vector<std::string> reasons;

 private:
  std::string path_;
};

std::string bytes_of(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

TEST(Checkpoint, FailureIsToldAndTheRunGoesOn) {
  const fs::path folder = fs::temp_directory_path() / "rondo-checkpoint-failure";
  fs::remove_all(folder);
  fs::create_directories(folder);
  std::ofstream rows(folder / "train.csv");
  rows << "label,text\n";
  for (int i = 0; i < 60; ++i) rows << (i % 2 ? "x,a b c d\n" : "y,e f g a\n");
  rows.close();

  ClassifierTask task;
  task.files.input = folder / "train.csv";
  task.files.output = folder / "a.rondo";
  task.model.embedding = task.model.recurrent.hidden = 4;
  task.loop.after = "3e";
  const auto backend = open_device("cpu", 1);
  TrainingObserver silent;
  train_classifier(task, *backend, silent);

  task.files.output = folder / "b.rondo";
  Obstacle obstacle(folder / "b.rondo.checkpoint");
  const TrainingReport report = train_classifier(task, *backend, obstacle);
  ASSERT_EQ(obstacle.reasons.size(), 1U);
  EXPECT_NE(obstacle.reasons[0].find("b.rondo.checkpoint"), std::string::npos) << obstacle.reasons[0];
  EXPECT_FALSE(report.outcome.stopped);
  EXPECT_EQ(bytes_of(folder / "b.rondo"), bytes_of(folder / "a.rondo"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace rondo
