// Many texts through a classifier: tokenised on all threads, run in batches of like length, answered in
// order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "models/classifier_model.h"

namespace rondo {

/// Probabilities [texts, labels] in the order of the texts; the same bits for any set of texts around one.
/// @throws DataError if a text is not UTF-8.
Tensor predict_texts(const ClassifierModel& model, Backend& backend, std::span<const std::string> texts);

/// The numbers of the k largest values, largest first; ties keep their order.
std::vector<int32_t> largest(std::span<const float> values, size_t k);

}  // namespace rondo
