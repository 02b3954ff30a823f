// Weights packed once a pass into panels, and the multiplication of a few rows with them inside a step.
//   PackedWeights u = pack_weights(kernels, frame, {.b = w_hh, .b_column = stride, .k = P, .units = H, ...});
//   u.multiply(h, {gates, stride}, rows, {.accumulate = true});
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/cells.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/tile.h"

namespace rondo {

/// What to pack: blocks of `units` columns each. Panels are ordered by unit, then by block, so that all gates
/// of the same units stand together.
struct WeightSource {
  const float* b = nullptr;  ///< element (k, column) at b[k*b_k + column*b_column]
  int64_t b_k = 1, b_column = 1;
  int64_t k = 0;
  int64_t units = 0;
  std::vector<int64_t> from = {0};  ///< first column of each block in b
  std::vector<int64_t> to = {0};    ///< and in the result
};

class PackedWeights {
 public:
  PackedWeights() = default;
  PackedWeights(const TileKernels& kernels, ScratchFrame& frame, const WeightSource& source);

  /// Groups of units that a caller may take one at a time: all gates of two vectors of units.
  int64_t unit_groups() const { return groups_; }
  /// Units 0 .. first_unit(g)-1 stand in the groups before g.
  int64_t first_unit(int64_t group) const { return group * width_ < units_ ? group * width_ : units_; }

  struct Part {
    int64_t first_k = 0, k = -1;           ///< rows of the weights; -1: all
    int64_t first_group = 0, groups = -1;  ///< groups of units; -1: all
    bool accumulate = false;               ///< add to c in place
  };
  /// c = a * weights over a part: a holds columns first_k .. first_k+k-1 as its columns 0 .. k-1.
  void multiply(ConstRows a, Rows c, int64_t rows, const Part& part) const;
  void multiply(ConstRows a, Rows c, int64_t rows) const { multiply(a, c, rows, Part()); }

 private:
  struct PanelPlace {
    const float* packed;
    int64_t column;  // in c
    int64_t columns;
    int vectors;
  };
  const TileKernels* kernels_ = nullptr;
  std::vector<PanelPlace> panels_;
  int64_t k_ = 0, units_ = 0, width_ = 1, groups_ = 0, blocks_ = 0;

  int64_t joined(int64_t first, int64_t end, int64_t rows) const;
  Tile make_tile(int64_t first, int64_t panels, ConstRows a, Rows c, bool accumulate) const;
};

}  // namespace rondo
