// A text classifier to its model file and back.
//   save_classifier("news.rondo", model, {{"dev", {{"accuracy", 0.9}}}});
//   ClassifierModel model = load_classifier("news.rondo");
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/classifier_model.h"
#include "storage/model_file.h"

namespace rondo {

/// The model as a file's content; `metrics` is kept beside it for readers.
ModelFile pack_classifier(const ClassifierModel& model, nlohmann::json metrics = nlohmann::json::object());

/// Quantized weights (quantized.h) come back as float32: scale * Q.
/// @param path  for messages.
/// @throws FormatError if it is no classifier, or a part is missing, left over or of another size.
ClassifierModel unpack_classifier(const ModelFile& file, const std::string& path);

void save_classifier(const std::string& path, const ClassifierModel& model, nlohmann::json metrics);
ClassifierModel load_classifier(const std::string& path);

}  // namespace rondo
