#include "data/idx_images.h"

#include "base/errors.h"
#include "base/files.h"

namespace rondo {

namespace {

constexpr uint32_t kImages = 2051, kLabels = 2049;  // unsigned bytes in three dimensions, and in one
constexpr uint32_t kMostSide = 4096;

uint32_t big_endian(const std::string& bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
  return value;
}

struct IdxFile {
  std::string path, bytes;
  uint32_t number(size_t i) const { return big_endian(bytes, 4 * i); }
};

IdxFile read_idx(const std::string& stem, uint32_t kind, size_t header) {
  IdxFile file{.path = file_exists(stem) ? stem : stem + ".gz", .bytes = {}};
  file.bytes = read_file(file.path, int64_t{1} << 31);
  if (file.bytes.size() >= header && file.number(0) == kind) return file;
  throw_error<DataError>("{}: no idx file of kind {}", file.path, kind);
}

void check_size(const IdxFile& file, size_t header, size_t item) {
  const size_t items = file.number(1);
  if (file.bytes.size() - header == items * item) return;
  throw_error<DataError>("{}: {} bytes behind its header, expected {} items of {}", file.path,
                         file.bytes.size() - header, items, item);
}

}  // namespace

Image IdxImages::image(int64_t number) const {
  Image image = filled_image(width, height, 1);
  const auto count = static_cast<size_t>(width * height);
  const std::string_view at = std::string_view(pixels).substr(static_cast<size_t>(number) * count, count);
  image.bytes.assign(at.begin(), at.end());
  return image;
}

IdxImages read_idx_images(const std::string& folder, const std::string& part) {
  IdxFile images = read_idx(folder + "/" + part + "-images-idx3-ubyte", kImages, 16);
  const uint32_t height = images.number(2), width = images.number(3);
  if (height < 1 || width < 1 || height > kMostSide || width > kMostSide) {
    throw_error<DataError>("{}: pictures of {}x{} pixels", images.path, width, height);
  }
  check_size(images, 16, size_t{height} * width);
  IdxFile labels = read_idx(folder + "/" + part + "-labels-idx1-ubyte", kLabels, 8);
  check_size(labels, 8, 1);
  if (labels.number(1) != images.number(1)) {
    throw_error<DataError>("{}: {} labels for the {} pictures of {}", labels.path, labels.number(1),
                           images.number(1), images.path);
  }
  return {
      .width = width, .height = height, .pixels = images.bytes.substr(16), .labels = labels.bytes.substr(8)};
}

}  // namespace rondo
