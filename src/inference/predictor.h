// Many texts through a classifier: tokenised on all threads, run in batches of like length, answered in
// order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "models/classifier_model.h"

namespace rondo {

enum class RunPrecision { kModel, kFloat32, kBfloat16, kInt8 };

template <>
inline constexpr auto kNames<RunPrecision> =
    std::array{std::pair{RunPrecision::kModel, "model"}, std::pair{RunPrecision::kFloat32, "f32"},
               std::pair{RunPrecision::kBfloat16, "bf16"}, std::pair{RunPrecision::kInt8, "int8"}};

/// How a trained model is run.
struct InferenceOptions {
  RunPrecision precision = RunPrecision::kModel;

  template <class Visitor>
  void visit(Visitor& v) {
    v("precision", precision,
      "of the products; model: the one that the model was trained in or quantized to");
  }
};

/// The precision that a model runs in. @param own  the one that it was trained in or quantized to.
Precision precision_of(Precision own, const InferenceOptions& options);

/// Packs the model's weights for this backend, once for all the texts that follow; the bits stay the same
/// but for another precision. Again after the parameters changed, or for another backend.
void prepare(ClassifierModel& model, Backend& backend, const InferenceOptions& options = {});

/// The same for streams (layers/recurrent_stream.h), which many may share: with the table of all words'
/// inputs up to 64 MiB, for a stream reads the weights once a token.
std::shared_ptr<const PreparedStack> prepare_streams(const ClassifierModel& model, Backend& backend,
                                                     Precision precision);

/// Probabilities [texts, labels] in the order of the texts; the same bits for any set of texts around one.
/// @throws DataError if a text is not UTF-8.
Tensor predict_texts(const ClassifierModel& model, Backend& backend, std::span<const std::string> texts);

/// The numbers of the k largest values, largest first; ties keep their order.
std::vector<int32_t> largest(std::span<const float> values, size_t k);

}  // namespace rondo
