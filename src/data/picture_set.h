// Many pictures of one size, as a network reads them: pixels, or regions that another network made of them.
//   PictureSet set = read_pictures(paths, {.side = 64, .channels = 3}, threads);
//   Tensor rows = set.rows(numbers);   // [64*64 * numbers, 3], 0 .. 1
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/threads.h"
#include "data/image.h"
#include "tensor/tensor.h"

namespace rondo {

struct PictureShape {
  int64_t side = 64;
  int64_t channels = 3;
};

struct PictureSet {
  int64_t places = 0;            ///< rows of a picture: pixels or regions
  int64_t columns = 0;           ///< of a row: channels, or numbers of a region
  std::vector<uint8_t> bytes;    ///< [size, places, columns] of pixels
  Tensor features;               ///< [size, places, columns] of regions; else empty
  std::vector<ImageSize> sizes;  ///< of the files' pictures before they were resized; empty of regions

  int64_t size() const;
  /// Row i * n + k is place i of picture numbers[k], n being how many numbers there are; of pixels 0 .. 1.
  Tensor rows(std::span<const int32_t> numbers) const;
};

/// Reads and resizes on all threads. @throws DataError that names the first file that is broken; IoError.
PictureSet read_pictures(std::span<const std::string> paths, const PictureShape& shape, ThreadPool& threads);
/// Of one picture that is in memory.
PictureSet picture_set(const Image& image, const PictureShape& shape);

}  // namespace rondo
