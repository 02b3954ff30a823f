// Owns the layout of packed rows (kernels/packed_rows.h) made from the lengths of sequences in the caller's
// order.
//   Packing packing({5, 3, 1});  packing.rows().count(0) == 3;  packing.order()[0] == 0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/packed_rows.h"

namespace rondo {

class Packing {
 public:
  Packing() = default;
  /// @param lengths  of each sequence, in the caller's order; zero is allowed. Ties keep the caller's order.
  explicit Packing(std::span<const int64_t> lengths);

  PackedRows rows() const { return {offsets_, sequences()}; }
  int64_t sequences() const { return static_cast<int64_t>(order_.size()); }
  int64_t num_rows() const { return offsets_.empty() ? 0 : offsets_.back(); }
  /// order()[n] is the caller's number of packed sequence n (falling length, stable).
  const std::vector<int32_t>& order() const { return order_; }
  /// Length of packed sequence n.
  int64_t length(int64_t n) const { return lengths_[n]; }

 private:
  std::vector<int64_t> offsets_;
  std::vector<int32_t> order_;
  std::vector<int64_t> lengths_;
};

}  // namespace rondo
