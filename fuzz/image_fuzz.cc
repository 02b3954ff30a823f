// Any bytes as a picture: one of the size that it tells, resized, or a DataError.
#include <cstdint>
#include <string_view>

#include "data/image.h"
#include "rondo/errors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  try {
    const rondo::Image image =
        rondo::decode_image(std::string_view(reinterpret_cast<const char*>(bytes), size), "fuzz");
    if (static_cast<int64_t>(image.bytes.size()) != image.width * image.height * image.channels)
      __builtin_trap();
    rondo::resize_image(image, 8, 8);
  } catch (const rondo::DataError&) {
  }
  return 0;
}
