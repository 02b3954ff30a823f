#include "tensor/packing.h"

#include <algorithm>
#include <numeric>

namespace rondo {

Packing::Packing(std::span<const int64_t> lengths) : order_(lengths.size()), lengths_(lengths.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(),
                   [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
  for (size_t n = 0; n < order_.size(); ++n) lengths_[n] = lengths[order_[n]];

  offsets_.push_back(0);
  const int64_t steps = lengths_.empty() ? 0 : lengths_.front();
  int64_t alive = sequences();
  for (int64_t t = 0; t < steps; ++t) {
    while (alive > 0 && lengths_[alive - 1] <= t) --alive;
    offsets_.push_back(offsets_.back() + alive);
  }
}

}  // namespace rondo
