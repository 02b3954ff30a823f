#include "layers/region_attention.h"

#include <array>

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

// [L * images, L]: a one at the region's own place.
Tensor marks(int64_t regions, int64_t images, DType type) {
  Tensor ones({regions * images, regions});
  ones.fill(0);
  for (int64_t row = 0; row < regions * images; ++row) ones.data<float>()[row * regions + row / images] = 1;
  return type == DType::kFloat32 ? ones : ones.to(type);
}

}  // namespace

Packing region_packing(int64_t regions, int64_t images) {
  return Packing(std::vector<int64_t>(static_cast<size_t>(images), regions));
}

RegionAttention::RegionAttention(ParameterSet& set, const RegionAttentionShape& shape)
    : attention_(set, {.score = AttentionScore::kAdditive,
                       .query = shape.query,
                       .memory = shape.region,
                       .size = shape.size,
                       .type = shape.type}) {}

AttentionKeys RegionAttention::keys(const Variable& regions, int64_t images, Precision precision) const {
  const int64_t rows = regions.matrix().rows;
  if (images < 1 || rows % images != 0) {
    throw_error<ShapeError>("region attention: {} regions for {} pictures", to_string(regions.shape()),
                            images);
  }
  const int64_t count = rows / images;
  AttentionKeys keys = attention_.keys(regions, region_packing(count, images), precision);
  keys.values =
      concatenate(std::array{regions, regions.tape().input(marks(count, images, regions.value().type()))});
  return keys;
}

RegionLook RegionAttention::forward(const Variable& queries, const AttentionKeys& keys,
                                    std::span<const int32_t> images, Precision precision) const {
  const AttentionResult seen = attention_.forward(queries, keys, images, precision);
  const int64_t columns = attention_.shape().memory;
  return {slice(seen.contexts, {.columns = columns}), slice(seen.contexts, {.first_column = columns})};
}

}  // namespace rondo
