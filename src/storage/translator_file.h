// A translator as one file: weights, configuration, vocabularies and subword models.
//   save_translator("en-de.rondo", model, metrics);  TranslatorModel model = load_translator("en-de.rondo");
#pragma once

#include "models/translator_model.h"
#include "storage/model_file.h"

namespace rondo {

ModelFile pack_translator(const TranslatorModel& model, nlohmann::json metrics);
/// @param path  for messages.
/// @throws FormatError if the file holds another kind of model, or is damaged.
TranslatorModel unpack_translator(const ModelFile& file, const std::string& path);
/// @throws FormatError; IoError.
void save_translator(const std::string& path, const TranslatorModel& model, nlohmann::json metrics);
TranslatorModel load_translator(const std::string& path);

}  // namespace rondo
