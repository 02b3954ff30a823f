// A captioner as one file: weights, configuration, vocabulary and subword model.
//   save_captioner("scenes.rondo", model, metrics);  CaptionerModel model = load_captioner("scenes.rondo");
#pragma once

#include "models/captioner_model.h"
#include "storage/model_file.h"

namespace rondo {

ModelFile pack_captioner(const CaptionerModel& model, nlohmann::json metrics);
/// @param path  for messages.
/// @throws FormatError if the file holds another kind of model, or is damaged.
CaptionerModel unpack_captioner(const ModelFile& file, const std::string& path);
/// @throws FormatError; IoError.
void save_captioner(const std::string& path, const CaptionerModel& model, nlohmann::json metrics);
CaptionerModel load_captioner(const std::string& path);

}  // namespace rondo
