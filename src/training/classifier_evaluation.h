// Runs a classifier over a corpus: predictions and figures.
#pragma once

#include "data/encoded.h"
#include "models/classifier_model.h"
#include "training/metrics.h"

namespace rondo {

/// Loss, accuracy, F1, per label and confusion. Labels of several-label models count above probability 0.5.
/// The same for any batch size.
/// @param corpus  the texts as read, for the names of labels that the model has not.
Evaluation evaluate_classifier(const ClassifierModel& model, Backend& backend, const EncodedCorpus& encoded,
                               const LabelledCorpus& corpus, int64_t max_rows = 8192);

}  // namespace rondo
