// JPEG by libjpeg-turbo, PNG by libpng: both by their interfaces that return errors, for no longjmp may cross
// a C++ frame.
#include <png.h>
#include <turbojpeg.h>

#include <array>
#include <memory>

#include "base/errors.h"
#include "base/files.h"
#include "data/image.h"

namespace rondo {

namespace {

void check_size(int64_t width, int64_t height, const std::string& name) {
  if (width <= kMostPixels / height) return;
  throw_error<DataError>("{}: a picture of {}x{} pixels, {} are taken at most; make it smaller", name, width,
                         height, kMostPixels);
}

Image decode_jpeg(std::string_view bytes, const std::string& name) {
  const std::unique_ptr<void, int (*)(void*)> decoder(tjInitDecompress(), tjDestroy);
  if (!decoder) throw_error<IoError>("{}: libjpeg-turbo does not start: {}", name, tjGetErrorStr2(nullptr));
  const auto fail = [&] {
    throw_error<DataError>("{}: a broken JPEG ({}); save the picture anew or take it out", name,
                           tjGetErrorStr2(decoder.get()));
  };
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  int width = 0, height = 0, sampling = 0, space = 0;
  if (tjDecompressHeader3(decoder.get(), data, bytes.size(), &width, &height, &sampling, &space) != 0) fail();
  if (width < 1 || height < 1) throw_error<DataError>("{}: a broken JPEG (it ends in its header)", name);
  check_size(width, height, name);
  if (space == TJCS_CMYK || space == TJCS_YCCK) {
    throw_error<DataError>("{}: a JPEG in colours of print (CMYK); save it in RGB", name);
  }
  const bool grey = space == TJCS_GRAY;
  Image image = filled_image(width, height, grey ? 1 : 3);
  // A picture that is cut, or one of thousands of passes over all pixels, is refused, not half shown.
  if (tjDecompress2(decoder.get(), data, bytes.size(), image.bytes.data(), width, 0, height,
                    grey ? TJPF_GRAY : TJPF_RGB, TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS) != 0) {
    fail();
  }
  return image;
}

Image decode_png(std::string_view bytes, const std::string& name) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  const std::unique_ptr<png_image, void (*)(png_image*)> freed(&png, png_image_free);
  const auto fail = [&] {
    throw_error<DataError>("{}: a broken PNG ({}); save the picture anew or take it out", name, png.message);
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) fail();
  check_size(png.width, png.height, name);
  const bool grey = (png.format & PNG_FORMAT_FLAG_COLOR) == 0;
  png.format = grey ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Image image = filled_image(png.width, png.height, grey ? 1 : 3);
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&png, &white, image.bytes.data(), 0, nullptr) == 0) fail();
  return image;
}

}  // namespace

Image decode_image(std::string_view bytes, const std::string& name) {
  if (bytes.empty()) throw_error<DataError>("{}: an empty file, expected a picture", name);
  if (bytes.starts_with("\xFF\xD8\xFF")) return decode_jpeg(bytes, name);
  if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return decode_png(bytes, name);
  throw_error<DataError>("{}: no JPEG and no PNG by its first bytes; convert it", name);
}

Image read_image(const std::string& path) {
  return decode_image(read_file(path, kMostImageBytes), input_name(path));
}

std::string encode_png(const Image& image) {
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = image.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  std::string bytes;
  // The first call tells the size, the second writes.
  bool good = png_image_write_to_memory(&png, nullptr, &size, 0, image.bytes.data(), 0, nullptr) != 0;
  bytes.resize(size);
  good = good && png_image_write_to_memory(&png, bytes.data(), &size, 0, image.bytes.data(), 0, nullptr) != 0;
  if (!good) throw_error<IoError>("a PNG of {}x{}: {}", image.width, image.height, png.message);
  bytes.resize(size);
  return bytes;
}

std::string png_data_uri(const Image& image) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string png = encode_png(image);
  std::string text = "data:image/png;base64,";
  for (size_t i = 0; i < png.size(); i += 3) {
    const size_t count = std::min<size_t>(3, png.size() - i);
    uint32_t bits = 0;
    for (size_t k = 0; k < 3; ++k) bits = bits << 8 | (k < count ? static_cast<uint8_t>(png[i + k]) : 0U);
    for (size_t k = 0; k < 4; ++k) text += k <= count ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

}  // namespace rondo
