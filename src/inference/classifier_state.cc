#include "inference/classifier_state.h"

#include <zlib.h>

#include "inference/predictor.h"

namespace rondo {

namespace {

uint32_t add(uint32_t crc, const void* bytes, size_t count) {
  return static_cast<uint32_t>(crc32_z(crc, static_cast<const Bytef*>(bytes), count));
}

uint32_t crc_of(const ClassifierModel& model, Precision precision) {
  ClassifierOptions options = model.options();
  const std::string text = OptionList(options).to_json().dump() + name_of(precision);
  uint32_t crc = add(0, text.data(), text.size());
  for (const Parameter& parameter : model.network->parameters().all()) {
    if (parameter.sparse) continue;  // the embedding: large, and the others differ where it does
    crc = add(crc, parameter.value.raw(), static_cast<size_t>(parameter.value.bytes()));
  }
  return crc;
}

}  // namespace

void Classifier::State::make() {
  streaming_ = prepare_streams(model, *backend, precision);
  fingerprint_ = crc_of(model, precision);
}

std::shared_ptr<const PreparedStack> Classifier::State::streaming() {
  std::call_once(once_, [this] { make(); });
  return streaming_;
}

uint32_t Classifier::State::fingerprint() {
  std::call_once(once_, [this] { make(); });
  return fingerprint_;
}

}  // namespace rondo
