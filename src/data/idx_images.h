// Labelled pictures of one size in idx files, as MNIST and Fashion-MNIST have them.
//   IdxImages images = read_idx_images("/usr/share/datasets/fashion-mnist", "train");
//   images.image(17);  images.labels[17];
#pragma once

#include <cstdint>
#include <string>

#include "data/image.h"

namespace rondo {

struct IdxImages {
  int64_t width = 0, height = 0;
  std::string pixels;  ///< [size, height, width]
  std::string labels;  ///< [size]

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  Image image(int64_t number) const;
};

/// FOLDER/PART-images-idx3-ubyte and FOLDER/PART-labels-idx1-ubyte, each with or without .gz.
/// @param part  "train" or "t10k".
/// @throws DataError for another kind or size of file, or labels that are not as many; IoError.
IdxImages read_idx_images(const std::string& folder, const std::string& part);

}  // namespace rondo
