// A translator with its corpus: what the training loop steps and measures.
//   TranslatorTraining training(task, backend);
//   TrainingLoop loop({backend, training, task.loop, task.files.run, observer});
#pragma once

#include <string>
#include <vector>

#include "base/profile.h"
#include "training/run_identity.h"
#include "training/training_loop.h"
#include "training/translation_corpus.h"
#include "training/translator_evaluation.h"

namespace rondo {

/// Reads the corpus, builds vocabularies and network, and gives the loop its steps.
class TranslatorTraining final : public TrainingTask {
 public:
  TranslatorTraining(const TranslationTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override { return updates_per_epoch_; }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  /// The dev loss, and as metric BLEU of greedy translations.
  Dev evaluate() override;
  GateStatistics gates() override;
  ModelFile pack(nlohmann::json metrics) const override;
  nlohmann::json identity() const override;

  TrainingPlan plan() const;
  /// Figures on the dev pairs with the present parameters.
  TranslatorEvaluation evaluation();

 private:
  const std::vector<std::vector<int32_t>>& batches(int64_t epoch);
  int64_t estimate_memory() const;

  TranslationTask task_;
  Backend& backend_;
  Profile* profile_;
  TranslationCorpus corpus_;
  TranslatorModel model_;
  std::vector<std::vector<int32_t>> batches_;
  int64_t batches_epoch_ = -1;
  int64_t updates_per_epoch_ = 0;
  Fingerprint fingerprint_;
};

}  // namespace rondo
