// A classifier with its corpora: what the training loop steps and measures.
//   ClassifierTraining training(task, backend);  TrainingLoop loop({backend, training, task.loop, task.files,
//   observer});
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/profile.h"
#include "data/batches.h"
#include "data/numbered.h"
#include "models/classifier_model.h"
#include "models/language_model.h"
#include "storage/classifier_file.h"
#include "text/vectors.h"
#include "training/arithmetic.h"
#include "training/metrics.h"
#include "training/run_identity.h"
#include "training/training_loop.h"

namespace rondo {

/// Reads the corpora, builds vocabulary and network, and gives the loop its steps.
class ClassifierTraining final : public TrainingTask {
 public:
  ClassifierTraining(const ClassifierTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override {
    return (train_.size() + task_.loop.batch - 1) / task_.loop.batch;
  }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  Dev evaluate() override;
  GateStatistics gates() override;
  ModelFile pack(nlohmann::json metrics) const override {
    return pack_classifier(model_, std::move(metrics));
  }
  nlohmann::json identity() const override;

  TrainingPlan plan() const;
  /// Figures on the dev texts with the present parameters.
  Evaluation evaluation() const;

 private:
  void read_corpora();
  void begin_from(std::string& pieces);
  NumberedCorpus read_input(std::string& pieces);
  NumberedCorpus read_numbered(const std::string& path) const;
  void warn_of_texts(const NumberedCorpus& texts);
  void warn_of_labels();
  void build_vocabulary_of(const NumberedCorpus& texts, const std::vector<bool>& held_out,
                           const std::string& pieces);
  void build_network();
  Batch next_batch(int64_t epoch, int64_t index);
  void weigh_labels();
  int64_t estimate_memory() const;
  std::vector<std::vector<int32_t>> plan_of(int64_t epoch) const;
  Variable mean_loss(const Variable& logits, const Batch& batch) const;
  Variable mean_loss_of_sets(const Variable& logits, const Batch& batch) const;

  ClassifierTask task_;
  Backend& backend_;
  Profile* profile_;
  ClassifierModel model_;
  std::optional<LanguageModel> base_;  ///< what it begins from, until its weights are taken
  std::string train_format_;
  std::vector<std::string> warnings_;
  EncodedCorpus train_, dev_;
  LabelledCorpus dev_texts_;
  std::vector<float> label_weights_;
  int64_t largest_rows_ = 0;  ///< tokens of the largest batch of the first epoch
  Fingerprint fingerprint_;
  std::unique_ptr<BatchLoader> loader_;
  int64_t loaded_epoch_ = -1, loaded_index_ = -1;
};

}  // namespace rondo
