// One direction of a grid that reads one sequence as it comes: what RecurrentStream is made of with cell
// grid.
//   GridStream stream(grid, backend, prepared);  ConstMatrix y = stream.read(projected);   // [T, H or 2H]
// A copy is a fork. It has the bits of GridStack::forward and allocates nothing a step.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "layers/grid.h"

namespace rondo {

class GridStream {
 public:
  /// @param most_steps  of one read.
  GridStream(const GridStack& grid, Backend& backend, std::shared_ptr<const PreparedStack> prepared,
             int64_t most_steps);

  /// Projects vectors [T, D]; the result is there until the next call.
  ConstMatrix project(ConstMatrix x);
  /// Rows of the prepared table of tokens.
  ConstMatrix look_up(std::span<const int32_t> ids);
  /// @param projected  [T, H or 2H], T from 1 to most_steps. @return the top's states, until the next call.
  ConstMatrix read(ConstMatrix projected);

  /// Along time, of a layer: h [H], or none with depth alone; m [H], or none without cells.
  std::span<const float> h(int64_t layer) const { return {&states_[at(layer)], size(h_size_)}; }
  std::span<const float> c(int64_t layer) const {
    return {&states_[at(layer) + size(h_size_)], size(c_size_)};
  }
  /// What the last step gave out; zeros before the first.
  std::span<const float> output() const { return {&states_[at(layers_)], size(width_)}; }
  /// Of each layer h, then m; then the output.
  std::span<const float> state() const { return {states_.data(), states_.size() - 1}; }
  void set_state(std::span<const float> state);
  void reset();

 private:
  struct Rows {
    ConstMatrix h, m;
  };
  static size_t size(int64_t count) { return static_cast<size_t>(count); }
  size_t at(int64_t layer) const { return size(layer * (h_size_ + c_size_)); }
  Matrix rows_of(std::vector<float>& buffer, int64_t rows, int64_t columns) const;
  Rows run_layer(int64_t layer, const Rows& in, int64_t steps);
  void time(int64_t layer, ConstMatrix x, const Matrix& y);
  Rows depth(int64_t layer, const Rows& in, ConstMatrix other, int64_t first);

  const GridStack* grid_;
  Backend* backend_;
  std::shared_ptr<const PreparedStack> prepared_;
  int64_t hidden_, layers_, width_, h_size_, c_size_;
  std::vector<int64_t> offsets_;  ///< 0, 1, 2, ...: one sequence, a row a step
  std::vector<float> states_;     ///< and one number more, so that every span has an address
  std::vector<float> projected_, y_, shifted_, top_, gates_, cells_, last_;
  std::vector<float> h_[2], m_[2];  ///< along depth, of this layer and the one below
};

}  // namespace rondo
