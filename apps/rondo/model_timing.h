// Times a classifier on texts: the answer to one, and many in batches.
//   ModelTiming timing = time_model(model, *open_device("cpu", 1), texts, {.seconds = 2.5});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/classifier_model.h"

namespace rondo::app {

struct ModelTiming {
  int threads = 0;
  double median_ms = 0, p99_ms = 0;  ///< of one text alone, tokenising included
  double texts_per_second = 0;       ///< in batches
  double tokens_per_second = 0;
  double rate = 0;  ///< floating-point operations a second of the network's products, in batches
  double peak = 0;  ///< what a large product reaches on the same threads
};

/// Takes about `seconds`, but a text at least; the longest text may take longer than that.
ModelTiming time_model(const ClassifierModel& model, Backend& backend, const std::vector<std::string>& texts,
                       double seconds);

/// Microseconds of a token that a stream reads, tokens alone and one at a time: the median over texts.
/// Nothing for a model that reads its texts from both ends.
std::optional<double> time_stream(const ClassifierModel& model, Backend& backend, Precision precision,
                                  const std::vector<std::string>& texts, double seconds);

/// Made-up texts of 8 to 72 of the model's words, the same each time.
std::vector<std::string> made_up_texts(const ClassifierModel& model, int64_t count);

}  // namespace rondo::app
