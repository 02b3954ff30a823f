// Regions of pictures that another network made, in a safetensors file.
//   FeatureFile file = read_features("vgg.safetensors");   // file.features [images, regions, D]
// From Python: save_file({"features": x}, "vgg.safetensors", metadata={"images": json.dumps(names)})
#pragma once

#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace rondo {

struct FeatureFile {
  std::string path;
  Tensor features;                 ///< [images, regions, D]
  std::vector<std::string> names;  ///< of the images; empty: the file does not tell

  int64_t images() const { return features.dim(0); }
  int64_t regions() const { return features.dim(1); }
  int64_t region_size() const { return features.dim(2); }
};

/// The tensor "features", or the file's only one, as float32; names of the metadata key "images", a JSON
/// list.
/// @throws FormatError for another shape or type, a number that is not finite, or names that are not as many
/// as
///         the images; IoError.
FeatureFile read_features(const std::string& path);

}  // namespace rondo
