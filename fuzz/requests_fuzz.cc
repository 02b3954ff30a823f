// Any bytes as the body of any request: a struct or a Refusal, and nothing else.
#include <cstdint>
#include <string_view>

#include "serve/requests.h"
#include "serve/strict_json.h"

namespace {

using namespace rondo::serve;

const RequestLimits kLimits{.max_text = 1000, .max_texts = 8, .max_length = 100, .max_beam = 8};

template <class Parse>
void take(const Parse& parse, std::string_view body) {
  try {
    parse(body, kLimits);
  } catch (const Refusal& refusal) {
    // The message goes out as JSON, whatever was in the body.
    to_text(nlohmann::json(refusal.what()));
    if (refusal.status() != 400 && refusal.status() != 422) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  take(parse_predict_request, body);
  take(parse_tagging_request, body);
  take(parse_translation_request, body);
  take(parse_generation_request, body);
  take(parse_session_request, body);
  take(parse_feed_request, body);
  return 0;
}
