// Any bytes as a model file: a model of one of the kinds, or a FormatError or ConfigError.
#include <cstdint>
#include <string_view>

#include "base/errors.h"
#include "storage/captioner_file.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/tagger_file.h"
#include "storage/translator_file.h"

namespace {

void unpack(const rondo::ModelFile& file) {
  if (file.kind == "classifier") rondo::unpack_classifier(file, "fuzz");
  if (file.kind == "tagger") rondo::unpack_tagger(file, "fuzz");
  if (file.kind == "language_model") rondo::unpack_language_model(file, "fuzz");
  if (file.kind == "translator") rondo::unpack_translator(file, "fuzz");
  if (file.kind == "captioner") rondo::unpack_captioner(file, "fuzz");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    rondo::TensorFile file =
        rondo::parse_tensor_file(std::string_view(reinterpret_cast<const char*>(bytes), size), "fuzz");
    // A checksum that a mutation spoils would hide all that is behind it.
    file.metadata.erase("checksum");
    unpack(rondo::from_tensor_file(std::move(file), "fuzz"));
  } catch (const rondo::FormatError&) {
  } catch (const rondo::ConfigError&) {
  }
  return 0;
}
