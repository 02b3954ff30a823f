// A captioner with its pictures: what the training loop steps and measures.
//   CaptionerTraining training(task, backend);
//   TrainingLoop loop({backend, training, task.loop, task.files.run, observer});
#pragma once

#include <string>
#include <vector>

#include "base/profile.h"
#include "training/caption_corpus.h"
#include "training/captioner_evaluation.h"
#include "training/run_identity.h"
#include "training/training_loop.h"

namespace rondo {

/// Reads the pictures, builds vocabulary and network, and gives the loop its steps.
class CaptionerTraining final : public TrainingTask {
 public:
  CaptionerTraining(const CaptionTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override { return updates_per_epoch_; }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  /// The baseline of hard attention.
  NamedTensors state() const override;
  void restore_state(const NamedTensors& state) override;
  /// The dev loss, and as metric BLEU-4 of greedy captions.
  Dev evaluate() override;
  ModelFile pack(nlohmann::json metrics) const override;
  nlohmann::json identity() const override;

  TrainingPlan plan() const;
  /// Figures on the dev pictures with the present parameters.
  CaptionerEvaluation evaluation();

 private:
  const std::vector<std::vector<int32_t>>& batches(int64_t epoch);
  void add_fingerprints();
  int64_t estimate_memory() const;

  CaptionTask task_;
  Backend& backend_;
  Profile* profile_;
  CaptionData data_;
  CaptionerModel model_;
  std::vector<std::vector<int32_t>> batches_;
  int64_t batches_epoch_ = -1;
  int64_t updates_per_epoch_ = 0;
  double baseline_ = 0;
  bool rewarded_ = false;  ///< whether the baseline has begun
  Fingerprint fingerprint_;
};

}  // namespace rondo
