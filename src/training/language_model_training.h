// A language model with its corpus: what the training loop steps and measures.
//   LanguageModelTraining training(task, backend);
//   TrainingLoop loop({backend, training, task.loop, task.files, observer});
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/profile.h"
#include "data/streams.h"
#include "training/carried_states.h"
#include "training/language_corpus.h"
#include "training/language_model_evaluation.h"
#include "training/run_identity.h"
#include "training/training_loop.h"

namespace rondo {

/// Reads the corpus, builds vocabulary and network, and gives the loop its steps: truncated backpropagation
/// over streams whose states go on from chunk to chunk.
class LanguageModelTraining final : public TrainingTask {
 public:
  LanguageModelTraining(const LanguageTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override {
    return StreamLayout::chunks(corpus_.train, stream_options(0));
  }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  Dev evaluate() override;
  GateStatistics gates() override;
  ModelFile pack(nlohmann::json metrics) const override;
  nlohmann::json identity() const override;
  NamedTensors state() const override { return states_->tensors(); }
  void restore_state(const NamedTensors& tensors) override { states_->restore(tensors); }

  TrainingPlan plan() const;
  /// Figures on the dev text with the present parameters.
  LanguageEvaluation evaluation();

 private:
  void check_length() const;
  void build_network();
  StreamOptions stream_options(int64_t epoch) const;
  const StreamLayout& layout(int64_t epoch);
  int64_t segment_steps(const StreamChunk& chunk) const;
  int64_t fixed_bytes() const;
  int64_t estimate_memory() const;

  LanguageTask task_;
  Backend& backend_;
  Profile* profile_;
  LanguageModel model_;
  LanguageCorpus corpus_;  ///< its tokenizer and vocabulary are the model's
  std::optional<CarriedStates> states_;
  std::optional<StreamLayout> layout_;
  int64_t layout_epoch_ = -1;
  Fingerprint fingerprint_;
};

}  // namespace rondo
