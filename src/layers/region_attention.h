// Attention over the regions of pictures.
//   RegionAttention attention(set, {.query = 256, .region = 64, .size = 128});
//   AttentionKeys keys = attention.keys(regions, /*images=*/32);            // once a picture
//   AttentionResult look = attention.forward(queries, keys, images_of_queries);
#pragma once

#include <span>

#include "layers/attention.h"

namespace rondo {

struct RegionAttentionShape {
  int64_t query = 0;   ///< columns of a query
  int64_t region = 0;  ///< columns of a region
  int64_t size = 0;    ///< columns of the score's hidden layer
  DType type = DType::kFloat32;
};

/// Sequences of this packing are pictures, their steps regions: region i of picture n is row i * images + n.
Packing region_packing(int64_t regions, int64_t images);

/// e_i = v tanh(W_h q + W_a a_i + b), weights = softmax(e), contexts = sum of weights_i * a_i.
/// Parameters as Attention's additive score.
/// Source: Xu et al. 2015; Bahdanau, Cho & Bengio 2015.  Cost: 2*(size + D) operations a query and region.
class RegionAttention {
 public:
  RegionAttention(ParameterSet& set, const RegionAttentionShape& shape);
  void initialize(Initialization rule, const Stream& stream) { attention_.initialize(rule, stream); }

  /// @param regions  [L * images, D].
  AttentionKeys keys(const Variable& regions, int64_t images,
                     Precision precision = Precision::kFloat32) const;
  /// @param queries  [Q, query].  @param images  [Q] the picture of each.
  AttentionResult forward(const Variable& queries, const AttentionKeys& keys, std::span<const int32_t> images,
                          Precision precision = Precision::kFloat32) const {
    return attention_.forward(queries, keys, images, precision);
  }

 private:
  Attention attention_;
};

}  // namespace rondo
