// Translators as beam search sees them: one with the sources that it has read, or several as one.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "inference/beam_search.h"
#include "models/translator_model.h"

namespace rondo {

/// Reads all sources at once, then goes on row by row.
class TranslatorSearch : public SearchModel {
 public:
  /// The model and the backend must outlive it. @param sources  ids with their ends.
  TranslatorSearch(const TranslatorModel& model, Backend& backend,
                   std::span<const std::vector<int32_t>> sources);

  int64_t sentences() const override { return memory_.packing.sequences(); }
  int64_t source_length(int64_t sentence) const override;
  int64_t vocabulary() const override { return model_->network->target_vocabulary(); }
  int32_t end() const override { return model_->target.end(); }
  SearchStep step(std::span<const int32_t> previous) override;
  void select(std::span<const int32_t> rows) override;

 private:
  const TranslatorModel* model_;
  Backend* backend_;
  TranslatorMemory memory_;
  std::vector<int32_t> place_;      ///< packed sequence of each sentence
  std::vector<int32_t> source_of_;  ///< packed sequence of each row
  DecoderState state_;
};

/// How an ensemble's probabilities become one.
enum class EnsembleMean { kProbabilities, kLogProbabilities };

template <>
inline constexpr auto kNames<EnsembleMean> =
    std::array{std::pair{EnsembleMean::kProbabilities, "probabilities"},
               std::pair{EnsembleMean::kLogProbabilities, "log-probabilities"}};

/// log of the mean of the models' probabilities, or the mean of their logarithms (which then sum to less than
/// one); the mean of the attentions of those that have one. The order of the models may change the last bits.
class EnsembleSearch : public SearchModel {
 public:
  /// Of the same sentences and vocabulary; one model is itself, bit for bit.
  EnsembleSearch(std::vector<std::unique_ptr<SearchModel>> models, EnsembleMean mean)
      : models_(std::move(models)), mean_(mean) {}

  int64_t sentences() const override { return models_.front()->sentences(); }
  int64_t source_length(int64_t sentence) const override { return models_.front()->source_length(sentence); }
  int64_t vocabulary() const override { return models_.front()->vocabulary(); }
  int32_t end() const override { return models_.front()->end(); }
  SearchStep step(std::span<const int32_t> previous) override;
  void select(std::span<const int32_t> rows) override {
    for (const auto& model : models_) model->select(rows);
  }

 private:
  std::vector<std::unique_ptr<SearchModel>> models_;
  EnsembleMean mean_;
};

}  // namespace rondo
