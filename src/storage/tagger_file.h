// A tagger to its model file and back.
//   save_tagger("names.rondo", model, {{"dev", {{"f1", 0.8}}}});
//   TaggerModel model = load_tagger("names.rondo");
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "models/tagger_model.h"
#include "storage/model_file.h"

namespace rondo {

/// The model as a file's content, kind "tagger"; its characters stand in the configuration as "alphabet".
ModelFile pack_tagger(const TaggerModel& model, nlohmann::json metrics = nlohmann::json::object());

/// Quantized weights (quantized.h) come back as float32.
/// @param path  for messages.
/// @throws FormatError if it is no tagger, or a part is missing, left over or of another size.
TaggerModel unpack_tagger(const ModelFile& file, const std::string& path);

void save_tagger(const std::string& path, const TaggerModel& model, nlohmann::json metrics);
TaggerModel load_tagger(const std::string& path);

}  // namespace rondo
