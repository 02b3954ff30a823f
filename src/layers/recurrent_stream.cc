#include "layers/recurrent_stream.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "base/errors.h"

namespace rondo {

namespace {

// One sequence: step t is row t.
constexpr auto kOffsets = [] {
  std::array<int64_t, RecurrentStream::kMostSteps + 1> offsets{};
  std::iota(offsets.begin(), offsets.end(), 0);
  return offsets;
}();

}  // namespace

RecurrentStream::RecurrentStream(const RecurrentStack& stack, const Tensor& embedding, Backend& backend,
                                 std::shared_ptr<const PreparedStack> prepared)
    : stack_(&stack),
      embedding_(embedding),
      backend_(&backend),
      prepared_(std::move(prepared)),
      layers_(stack.options().layers),
      D_(stack.input_size()),
      H_(stack.options().hidden),
      P_(stack.options().output()),
      C_(stack.options().kind().has_cell_state() ? H_ : 0) {
  if (stack.options().bidirectional) {
    throw_error<ConfigError>(
        "a stream reads forwards; this model reads its texts from both ends: give it whole texts, or train "
        "without --bidirectional");
  }
  for (int64_t layer = 0; layer < layers_; ++layer) weights_.push_back(stack.weights(layer));
  allocate();
  reset();
}

RecurrentStream::RecurrentStream(const RecurrentStream& other)
    : stack_(other.stack_),
      embedding_(other.embedding_),
      backend_(other.backend_),
      prepared_(other.prepared_),
      layers_(other.layers_),
      D_(other.D_),
      H_(other.H_),
      P_(other.P_),
      C_(other.C_),
      weights_(other.weights_) {
  allocate();
  set_state(other.state());
}

RecurrentStream& RecurrentStream::operator=(const RecurrentStream& other) {
  if (this != &other) *this = RecurrentStream(other);
  return *this;
}

void RecurrentStream::allocate() {
  const CellKind kind = stack_->options().kind();
  states_ = Tensor({layers_, P_ + C_});
  next_ = Tensor({layers_, P_ + C_});
  x_ = Tensor({kMostSteps, D_});
  y_ = Tensor({kMostSteps, P_});
  below_ = Tensor({kMostSteps, P_});
  gates_ = Tensor({kMostSteps, kind.saved_blocks() * H_});
  if (C_ > 0) cells_ = Tensor({kMostSteps, H_});
}

std::span<const float> RecurrentStream::part(int64_t layer) const {
  if (layer < 0 || layer >= layers_) throw_error<ShapeError>("stream: layer {} of {}", layer, layers_);
  return {states_.data<float>() + layer * (P_ + C_), static_cast<size_t>(P_ + C_)};
}

void RecurrentStream::set_state(std::span<const float> state) {
  if (static_cast<int64_t>(state.size()) != size()) {
    throw_error<ShapeError>("stream: a state has {} numbers here, got {}", size(), state.size());
  }
  std::copy(state.begin(), state.end(), states_.data<float>());
}

void RecurrentStream::check_steps(int64_t steps) const {
  if (steps < 1 || steps > kMostSteps) {
    throw_error<ShapeError>("stream: 1 to {} steps a call, got {}", kMostSteps, steps);
  }
}

ConstMatrix RecurrentStream::read(std::span<const int32_t> ids) {
  const auto steps = static_cast<int64_t>(ids.size());
  check_steps(steps);
  for (const int32_t id : ids) {
    if (id < 0 || id >= embedding_.dim(0)) {
      throw_error<DataError>("stream: id {} of a table of {} rows", id, embedding_.dim(0));
    }
  }
  if (prepared_->table_rows > 0) return run({}, ids, steps);
  const Matrix x = x_.matrix().rows_at(0, steps);
  backend_->gather_rows(embedding_.matrix(), ids, x);
  return run(x, {}, steps);
}

ConstMatrix RecurrentStream::read(ConstMatrix x) {
  check_steps(x.rows);
  if (x.columns != D_)
    throw_error<ShapeError>("stream: x must be [T, {}], got [{}, {}]", D_, x.rows, x.columns);
  return run(x, {}, x.rows);
}

ConstMatrix RecurrentStream::run(ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps) {
  for (int64_t layer = 0; layer < layers_; ++layer) {
    const Matrix y = y_.matrix().rows_at(0, steps);
    run_layer(layer, x, x_rows, steps, y);
    std::swap(y_, below_);  // what the layer wrote is what the next one reads
    x = y;
    x_rows = {};
  }
  std::swap(states_, next_);
  return x;
}

void RecurrentStream::run_layer(int64_t layer, ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps,
                                const Matrix& y) {
  const Matrix before = states_.matrix().rows_at(layer, 1);
  const Matrix after = next_.matrix().rows_at(layer, 1);
  RecurrentDirection direction{.weights = weights_[static_cast<size_t>(layer)],
                               .packed = prepared_->packed[static_cast<size_t>(layer)].get(),
                               .h0 = before.columns_at(0, P_),
                               .y = y,
                               .h_n = after.columns_at(0, P_),
                               .gates = gates_.matrix().rows_at(0, steps)};
  if (C_ > 0) {
    direction.c0 = before.columns_at(P_, C_);
    direction.c_n = after.columns_at(P_, C_);
    direction.cells = cells_.matrix().rows_at(0, steps);
  }
  backend_->recurrent_forward({.kind = stack_->options().kind(),
                               .rows = {std::span(kOffsets).first(static_cast<size_t>(steps) + 1), 1},
                               .x = x,
                               .x_rows = x_rows,
                               .precision = prepared_->precision,
                               .directions = std::span(&direction, 1)});
}

}  // namespace rondo
