#include "layers/region_attention.h"

#include "base/errors.h"

namespace rondo {

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
  return attention_.keys(regions, region_packing(rows / images, images), precision);
}

}  // namespace rondo
