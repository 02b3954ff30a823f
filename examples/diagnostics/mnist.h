// MNIST in memory, from its idx files: http://yann.lecun.com/exdb/mnist/ describes them.
#pragma once

#include <cstdint>
#include <string>

namespace rondo::diagnostics {

struct Digits {
  static constexpr int64_t kSide = 28;
  static constexpr int64_t kPixels = kSide * kSide;

  std::string pixels;  ///< kPixels a digit, row by row
  std::string labels;
  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  uint8_t pixel(int64_t digit, int64_t row, int64_t column) const {
    return static_cast<uint8_t>(pixels[static_cast<size_t>(digit * kPixels + row * kSide + column)]);
  }
};

/// @param part  "train" or "t10k".  @throws DataError for another kind or size of file; IoError.
Digits read_digits(const std::string& folder, const std::string& part);

}  // namespace rondo::diagnostics
