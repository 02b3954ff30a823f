// Pictures as bytes, one after the other: read, made grey or coloured, resized.
//   Image image = resize_image(with_channels(read_image("dog.jpg"), 3), 64, 64);
//   image.at(y, x, 0);   // red, 0 .. 255
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

/// In pixels.
struct ImageSize {
  int64_t width = 0, height = 0;
};

struct Image {
  int64_t width = 0, height = 0;
  int64_t channels = 1;        ///< 1: grey; 3: red, green, blue
  std::vector<uint8_t> bytes;  ///< [height, width, channels]

  ImageSize size() const { return {width, height}; }
  uint8_t& at(int64_t y, int64_t x, int64_t channel) {
    return bytes[static_cast<size_t>((y * width + x) * channels + channel)];
  }
  uint8_t at(int64_t y, int64_t x, int64_t channel) const {
    return bytes[static_cast<size_t>((y * width + x) * channels + channel)];
  }
};

/// A picture of one grey level everywhere.
Image filled_image(int64_t width, int64_t height, int64_t channels, uint8_t value = 0);

/// Above these a picture is refused before memory is taken for it.
inline constexpr int64_t kMostImageBytes = int64_t{64} << 20;  ///< of the file
inline constexpr int64_t kMostPixels = 50'000'000;

/// A JPEG or PNG, known by its first bytes: grey where the file is grey, else red, green and blue. What a PNG
/// leaves transparent stands on white. The orientation that a camera notes (EXIF) is not applied.
/// @param name  for messages.
/// @throws DataError `NAME: ...` for another kind of file, one that is cut or damaged, or too large.
Image decode_image(std::string_view bytes, const std::string& name);
/// The same of a file. @throws IoError too.
Image read_image(const std::string& path);

/// As PNG; the same picture gives the same bytes.
std::string encode_png(const Image& image);
/// "data:image/png;base64,...": a picture inside a page.
std::string png_data_uri(const Image& image);

/// Grey or coloured. grey = 0.299 red + 0.587 green + 0.114 blue (Rec. 601), rounded.
/// @throws ConfigError unless channels is 1 or 3.
Image with_channels(Image image, int64_t channels);

/// Resized, each axis for itself: a smaller axis by the mean over the area that a new pixel covers, a larger
/// one bilinearly between the centres of pixels. Another shape stretches the picture; nothing is cut off.
/// @throws ConfigError for a side below 1 or above 4096.
Image resize_image(const Image& image, int64_t width, int64_t height);

}  // namespace rondo
