// What is wrong with a trained model: units that do nothing, gates that never move, words it does not know,
// labels it confuses, probabilities that promise too much, and what its training says of itself.
#pragma once

#include <span>

#include "inspect/examined.h"
#include "inspect/finding.h"
#include "kernels/backend.h"
#include "layers/gate_statistics.h"
#include "storage/model_file.h"

namespace rondo {

/// The task that a model of this kind does; auto for one that a doctor knows nothing of.
ExaminedTask task_of(const ModelFile& file);

/// The file whose texts a model is tried on.
struct TrialTexts {
  std::string path;
  std::string target;  ///< of translations, or empty: both sides stand in `path`
  const ExaminedFormat& format;
};

/// Runs the model on some of the texts. @throws as the readers and unpack_*().
void check_model(const ModelFile& file, const std::string& path, const TrialTexts& texts, Backend& backend,
                 Diagnosis& diagnosis);

/// Hidden units that never move, and gates that stand at one end in more than 99 % of the steps.
void check_units(std::span<const DirectionStatistics> directions, Diagnosis& diagnosis);

/// Over-fitting, a training that ended too early, clipped and skipped updates: by the figures of the training
/// that stand in the file. Metrics are for readers: one that is missing or of another type is passed over.
void check_training(const nlohmann::json& metrics, Diagnosis& diagnosis);

/// Truths against predictions, with the probability of each prediction.
struct Predictions {
  std::vector<std::string> labels;
  std::vector<int32_t> truth, predicted;  ///< numbers of labels
  std::vector<float> probability;
  std::vector<std::string> places;  ///< of each, or empty
};

/// Labels that are taken for others, labels that are never told, an accuracy that always telling the most
/// frequent label reaches too, and a mean probability that is far from the accuracy.
void check_predictions(const Predictions& predictions, const std::string& noun, Diagnosis& diagnosis);

}  // namespace rondo
