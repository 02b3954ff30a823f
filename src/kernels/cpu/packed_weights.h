// Weights packed into panels, once a pass or for many, and the multiplication of a few rows with them.
//   PackedWeights u(kernels, memory, {.b = w_hh, .transposed = true, .units = H, .from = {0, H}, .to = {0,
//   H}}); u.multiply(make_operand(precision, frame, h, rows, P), gates, rows, {.accumulate = true});
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cpu/cells.h"
#include "kernels/cpu/scratch.h"
#include "kernels/cpu/tile.h"
#include "kernels/cpu/words.h"

namespace rondo {

/// What to pack: blocks of `units` columns each. Panels are ordered by unit, then by block, so that all gates
/// of the same units stand together.
struct WeightSource {
  ConstMatrix b;            ///< [k, columns], or [columns, k] where transposed
  bool transposed = false;  ///< kInt8 is for transposed weights only: a column of the product has one scale
  Precision precision = Precision::kFloat32;
  bool streams = false;  ///< for a few rows at a time: panels that a tile takes together stand row by row
                         ///< side by side, as one stream of memory; else each panel stays in the first cache
  int64_t units = 0;
  std::vector<int64_t> from = {0};  ///< first column of each block in b
  std::vector<int64_t> to = {0};    ///< and in the result
  int64_t other_k = 0;              ///< of weights that the same step reads beside these: caches hold both
};

class PackedWeights {
 public:
  PackedWeights() = default;
  PackedWeights(const TileKernels& kernels, FloatMemory& memory, const WeightSource& source);

  Precision precision() const { return precision_; }
  /// Groups of units that a caller may take one at a time: all gates of two vectors of units.
  int64_t unit_groups() const { return groups_; }
  /// Units 0 .. first_unit(g)-1 stand in the groups before g.
  int64_t first_unit(int64_t group) const { return group * width_ < units_ ? group * width_ : units_; }

  struct Part {
    int64_t first_group = 0, groups = -1;  ///< groups of units; -1: all
    bool accumulate = false;               ///< add to c in place
    const float* start = nullptr;          ///< or begin with this row, as wide as c
  };
  /// c = a * weights, for some groups of units.
  void multiply(const Operand& a, Rows c, int64_t rows, const Part& part) const;

 private:
  struct PanelPlace {
    int64_t column;  // in c
    int64_t source;  // in b
    int64_t columns;
    int vectors;
    float* packed = nullptr;
    int64_t packed_k = 0;
  };
  const TileKernels* kernels_ = nullptr;
  Precision precision_ = Precision::kFloat32;
  std::vector<PanelPlace> panels_;
  const float* scales_ = nullptr;     // kInt8, of each column of b
  const int32_t* offsets_ = nullptr;  // kInt8
  bool fetch_ = false;                // a few rows ask for what no near cache holds
  bool large_ = false;                // many rows do, as the processor does not guess it
  int64_t words_ = 0, units_ = 0, width_ = 1, groups_ = 0, blocks_ = 0;

  void list_panels(const WeightSource& source);
  void place_panels(float* packed, bool streams);
  int64_t joined(int64_t first, int64_t end, int64_t rows) const;
  Tile make_tile(const Operand& a, Rows c, int64_t rows, const Part& part) const;
  void place(Tile& tile, int64_t first, int64_t panels, Rows c, const Part& part) const;
  void multiply_pieces(Tile tile, int64_t rows) const;
};

}  // namespace rondo
