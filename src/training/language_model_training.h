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
#include "models/language_model.h"
#include "training/language_model_evaluation.h"
#include "training/language_options.h"
#include "training/training_loop.h"

namespace rondo {

/// Reads the corpus, builds vocabulary and network, and gives the loop its steps: truncated backpropagation
/// over streams whose states go on from chunk to chunk.
class LanguageModelTraining final : public TrainingTask {
 public:
  LanguageModelTraining(const LanguageTask& task, Backend& backend, Profile* profile = nullptr);

  ParameterSet& parameters() override { return model_.network->parameters(); }
  int64_t updates_per_epoch() const override { return StreamLayout::chunks(train_, stream_options(0)); }
  Step step(Tape& tape, int64_t epoch, int64_t index) override;
  Dev evaluate() override;
  ModelFile pack(nlohmann::json metrics) const override;
  nlohmann::json identity() const override;
  NamedTensors state() const override;
  void restore_state(const NamedTensors& tensors) override;

  TrainingPlan plan() const;
  /// Figures on the dev text with the present parameters.
  LanguageEvaluation evaluation();

 private:
  void read_corpus();
  void begin_from();
  void check_counts() const;
  void check_length() const;
  void split_corpus(const RawDocuments& raw, const std::string& subwords);
  std::string subword_model() const;
  Vocabulary vocabulary_of(const RawDocuments& raw, std::span<const Piece> pieces,
                           const std::string& subwords) const;
  void build_network();
  StreamOptions stream_options(int64_t epoch) const;
  const StreamLayout& layout(int64_t epoch);
  RecurrentState carried(Tape& tape, const StreamChunk& chunk) const;
  void carry(const StreamChunk& chunk, const std::vector<Tensor>& h, const std::vector<Tensor>& c);
  void clear_states();
  int64_t segment_steps(const StreamChunk& chunk) const;
  int64_t fixed_bytes() const;
  int64_t estimate_memory() const;
  uint64_t fingerprint() const;

  LanguageTask task_;
  Backend& backend_;
  Profile* profile_;
  LanguageModel model_;
  std::optional<LanguageModel> base_;  ///< what it begins from, until its weights are taken
  std::string format_, dev_description_;
  std::vector<std::string> warnings_;
  TokenStream train_, dev_;
  std::vector<Tensor> h_, c_;  ///< of each layer [streams, P], [streams, H]: where the last chunk ended
  std::optional<StreamLayout> layout_;
  int64_t layout_epoch_ = -1;
  uint64_t fingerprint_ = 0;
};

}  // namespace rondo
