// Small grids and what their tests ask of them.
#pragma once

#include <cstring>

#include "exact_gradients.h"
#include "layers/grid.h"
#include "layers/recurrent.h"
#include "tensor/operations.h"

namespace rondo {

inline constexpr int64_t kInput = 3, kHidden = 5;
inline const std::vector<int64_t> kLengths = {3, 0, 5, 1};

inline RecurrentOptions grid_options(GridOptions grid, int64_t layers = 2, bool bidirectional = false) {
  return {.cell = Cell::kGrid,
          .hidden = kHidden,
          .layers = layers,
          .bidirectional = bidirectional,
          .grid = grid,
          .forget_bias = 0.5};
}

struct GridNet {
  ParameterSet set;
  RecurrentStack stack;
  explicit GridNet(const RecurrentOptions& options, DType type = DType::kFloat32)
      : stack(set, kInput, options, type) {
    if (type == DType::kFloat32) stack.initialize(Stream(1));
  }
  /// Also biases that are not zero.
  void shake() {
    for (Parameter& p : set.all()) {
      const Tensor noise = random_values(p.value.shape(), 77 + p.name.size());
      for (int64_t i = 0; i < p.value.size(); ++i) p.value.data<float>()[i] += 0.2F * noise.data<float>()[i];
    }
  }
};

inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())) == 0;
}

// A sum with weights of its own for every element.
inline Variable sum_of(const Variable& y) {
  Variable total;
  for (int64_t r = 0; r < y.matrix().rows; ++r) {
    const Tensor weights =
        random_values({1, y.matrix().columns}, 90 + static_cast<uint64_t>(r), y.value().type());
    const Variable part = weighted_sum(slice(y, {.first_row = r, .rows = 1}), weights);
    total = total ? add(total, part) : part;
  }
  return total;
}

}  // namespace rondo
