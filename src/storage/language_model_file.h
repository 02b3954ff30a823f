// A language model to its model file and back.
//   save_language_model("poems.rondo", model, {{"dev", {{"loss", 1.4}}}});
//   LanguageModel model = load_language_model("poems.rondo");
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/language_model.h"
#include "storage/model_file.h"

namespace rondo {

/// The model as a file's content, kind "language_model"; `metrics` is kept beside it for readers.
ModelFile pack_language_model(const LanguageModel& model, nlohmann::json metrics = nlohmann::json::object());

/// Quantized weights (quantized.h) come back as float32.
/// @param path  for messages.
/// @throws FormatError if it is no language model, or a part is missing, left over or of another size.
LanguageModel unpack_language_model(const ModelFile& file, const std::string& path);

void save_language_model(const std::string& path, const LanguageModel& model, nlohmann::json metrics);
LanguageModel load_language_model(const std::string& path);

}  // namespace rondo
