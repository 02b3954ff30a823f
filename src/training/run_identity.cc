#include "training/run_identity.h"

#include <bit>

namespace rondo {

void Fingerprint::add(std::span<const int32_t> numbers) {
  for (const int32_t number : numbers) mix(static_cast<uint64_t>(number));
}

void Fingerprint::add(std::span<const int64_t> numbers) {
  for (const int64_t number : numbers) mix(static_cast<uint64_t>(number));
}

void Fingerprint::add(std::span<const uint8_t> bytes) {
  mix(bytes.size());
  for (const uint8_t byte : bytes) mix(byte);
}

void Fingerprint::add(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const char c : name) mix(static_cast<unsigned char>(c));
    mix(256);  // the end of a name
  }
}

void Fingerprint::add(const ParameterSet& parameters) {
  for (const Parameter& parameter : parameters.all()) {
    for (const float value : parameter.value.values<float>()) mix(std::bit_cast<uint32_t>(value));
  }
}

nlohmann::json run_identity(nlohmann::json options, const Fingerprint& data, const Backend& backend) {
  for (const char* name : {"input", "dev", "also", "from", "output", "log", "tensorboard", "report", "resume",
                           "force", "checkpoint-seconds"}) {
    options.erase(name);
  }
  options["data"] = data.value();
  options["backend"] = backend.name();
  return options;
}

}  // namespace rondo
