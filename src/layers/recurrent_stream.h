// A stack that reads one sequence as it comes, a few steps or one at a time, and keeps its state in between.
//   RecurrentStream stream(stack, embedding.table().value, backend, prepared);
//   ConstMatrix y = stream.read(ids);     // [T, P] outputs of the top layer, up to kMostSteps ids a call
//   RecurrentStream other = stream;       // a fork: both go on from here
// It has the bits of RecurrentStack::forward over the whole sequence, however it is cut, and allocates
// nothing a step that runs on one thread (a large one is shared among the backend's). One thread uses it at a
// time; streams of one stack may run on many.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "layers/grid_stream.h"
#include "layers/recurrent.h"

namespace rondo {

class RecurrentStream {
 public:
  /// Steps of one call: what is multiplied at once.
  static constexpr int64_t kMostSteps = 16;

  /// @param stack      of one direction; it and `embedding` [V, D] must outlive the stream.
  /// @param prepared   of this stack and backend: its precision is the stream's.
  /// @throws ConfigError for two directions: the second begins at the end of the text.
  RecurrentStream(const RecurrentStack& stack, const Tensor& embedding, Backend& backend,
                  std::shared_ptr<const PreparedStack> prepared);
  RecurrentStream(const RecurrentStream& other);
  RecurrentStream(RecurrentStream&&) noexcept = default;
  RecurrentStream& operator=(const RecurrentStream& other);
  RecurrentStream& operator=(RecurrentStream&&) noexcept = default;

  /// Reads 1 to kMostSteps ids, each a row of the embedding. @return the outputs of the top layer [T, P],
  /// there until the next call. @throws ShapeError for none or too many; DataError for an id outside.
  ConstMatrix read(std::span<const int32_t> ids);
  /// The same of vectors [T, D] instead of embeddings. @throws ShapeError for another D.
  ConstMatrix read(ConstMatrix x);

  /// The states of a layer, as they stand now: h [P]; c [H], or empty if the cell has none.
  std::span<const float> h(int64_t layer) const;
  std::span<const float> c(int64_t layer) const;
  /// What the top layer gave out for the last step: its h, of a grid the states at the top of depth.
  std::span<const float> output() const;
  /// All of them: of each layer h, then c. Of a grid, the output stands behind them.
  std::span<const float> state() const;
  /// @throws ShapeError for another size.
  void set_state(std::span<const float> state);
  /// Back to the beginning: zeros.
  void reset();

  const RecurrentStack& stack() const { return *stack_; }
  Precision precision() const { return prepared_->precision; }

 private:
  /// Sizes of a layer, and where its state begins.
  struct Layer {
    RecurrentWeights weights;
    int64_t H, P, C;  ///< C: H where there is a cell state, else 0
    int64_t start;
  };
  int64_t size() const { return layers_.back().start + layers_.back().P + layers_.back().C; }
  void check_layer(int64_t layer) const;
  void allocate();
  void check_steps(int64_t steps) const;
  ConstMatrix run(ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps);
  void run_layer(size_t index, ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps,
                 const Matrix& y);

  const RecurrentStack* stack_;
  std::optional<GridStream> grid_;  ///< does it all with cell grid
  Tensor embedding_;
  Backend* backend_;
  std::shared_ptr<const PreparedStack> prepared_;
  std::vector<Layer> layers_;
  Tensor states_, next_;                  ///< [size()]; next_ is written while states_ is read
  Tensor x_, y_, below_, gates_, cells_;  ///< kMostSteps rows of the widest layer each
};

}  // namespace rondo
