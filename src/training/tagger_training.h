// A tagger with its sentences: what the training loop steps and measures.
//   TaggerTraining training(task, backend);
//   TrainingLoop loop({backend, training, task.loop, task.files, observer});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/profile.h"
#include "training/memory_estimate.h"
#include "training/run_identity.h"
#include "training/tagger_corpus.h"
#include "training/tagger_evaluation.h"
#include "training/training_loop.h"

namespace rondo {

/// Reads the sentences, builds vocabularies and network, and gives the loop its steps. The loss is a word's
/// share of its sentence's.
class TaggerTraining final : public TrainingTask {
 public:
  TaggerTraining(const TaggerTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override {
    return (train_.encoded.size() + task_.loop.batch - 1) / task_.loop.batch;
  }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  Dev evaluate() override;
  GateStatistics gates() override;
  ModelFile pack(nlohmann::json metrics) const override;
  nlohmann::json identity() const override;

  TrainingPlan plan() const;
  /// Figures on the dev sentences with the present parameters.
  TaggerEvaluation evaluation();
  /// Whether the best state is chosen by F1.
  bool by_f1() const;

 private:
  void build_network(const TaggerCorpus& corpus);
  const std::vector<std::vector<int32_t>>& batches(int64_t epoch);
  TaggerBatchSize largest_size();
  int64_t estimate_memory() const;

  TaggerTask task_;
  Backend& backend_;
  Profile* profile_;
  TaggerModel model_;
  std::string format_, dev_format_;
  std::vector<std::string> warnings_;
  std::optional<WordForms> forms_;  ///< of model_, which must stay where it is
  TaggedCorpus train_, dev_;
  std::vector<std::vector<int32_t>> batches_;
  int64_t batches_epoch_ = -1;
  TaggerBatchSize largest_;  ///< of the first epoch
  Fingerprint fingerprint_;
};

}  // namespace rondo
