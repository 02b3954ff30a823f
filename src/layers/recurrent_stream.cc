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

// The first rows * columns numbers of a buffer.
Matrix dense(const Tensor& buffer, int64_t rows, int64_t columns) {
  return {buffer.raw(), buffer.type(), rows, columns, columns};
}

}  // namespace

RecurrentStream::RecurrentStream(const RecurrentStack& stack, const Tensor& embedding, Backend& backend,
                                 std::shared_ptr<const PreparedStack> prepared)
    : stack_(&stack), embedding_(embedding), backend_(&backend), prepared_(std::move(prepared)) {
  if (stack.options().bidirectional) {
    throw_error<ConfigError>(
        "a stream reads forwards; this model reads its texts from both ends: give it whole texts, or train "
        "without --bidirectional");
  }
  if (const GridStack* grid = stack.grid()) {
    grid_.emplace(*grid, backend, prepared_, kMostSteps);
    x_ = Tensor({kMostSteps, stack.input_size()});
    return;
  }
  const RecurrentOptions& options = stack.options();
  int64_t start = 0;
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const int64_t hidden = options.hidden_of(layer);
    layers_.push_back({.weights = stack.weights(layer),
                       .H = hidden,
                       .P = options.output_of(layer),
                       .C = options.kind().has_cell_state() ? hidden : 0,
                       .start = start});
    start = size();
  }
  allocate();
  reset();
}

RecurrentStream::RecurrentStream(const RecurrentStream& other)
    : stack_(other.stack_),
      grid_(other.grid_),
      embedding_(other.embedding_),
      backend_(other.backend_),
      prepared_(other.prepared_),
      layers_(other.layers_) {
  if (grid_) {
    x_ = Tensor({kMostSteps, stack_->input_size()});
    return;
  }
  allocate();
  set_state(other.state());
}

RecurrentStream& RecurrentStream::operator=(const RecurrentStream& other) {
  if (this != &other) *this = RecurrentStream(other);
  return *this;
}

void RecurrentStream::allocate() {
  int64_t widest = 0, most_units = 0;
  for (const Layer& layer : layers_) {
    widest = std::max(widest, layer.P);
    most_units = std::max(most_units, layer.H);
  }
  states_ = Tensor({size()});
  next_ = Tensor({size()});
  x_ = Tensor({kMostSteps, stack_->input_size()});
  y_ = Tensor({kMostSteps, widest});
  below_ = Tensor({kMostSteps, widest});
  gates_ = Tensor({kMostSteps, stack_->options().kind().saved_blocks() * most_units});
  if (layers_.front().C > 0) cells_ = Tensor({kMostSteps, most_units});
}

std::span<const float> RecurrentStream::state() const {
  if (grid_) return grid_->state();
  return {states_.data<float>(), static_cast<size_t>(size())};
}

std::span<const float> RecurrentStream::output() const {
  return grid_ ? grid_->output() : h(stack_->options().layers - 1);
}

void RecurrentStream::reset() {
  if (grid_) return grid_->reset();
  states_.fill(0);
}

void RecurrentStream::check_layer(int64_t layer) const {
  const int64_t count = stack_->options().layers;
  if (layer < 0 || layer >= count) throw_error<ShapeError>("stream: layer {} of {}", layer, count);
}

std::span<const float> RecurrentStream::h(int64_t layer) const {
  check_layer(layer);
  if (grid_) return grid_->h(layer);
  const Layer& at = layers_[static_cast<size_t>(layer)];
  return state().subspan(static_cast<size_t>(at.start), static_cast<size_t>(at.P));
}

std::span<const float> RecurrentStream::c(int64_t layer) const {
  check_layer(layer);
  if (grid_) return grid_->c(layer);
  const Layer& at = layers_[static_cast<size_t>(layer)];
  return state().subspan(static_cast<size_t>(at.start + at.P), static_cast<size_t>(at.C));
}

void RecurrentStream::set_state(std::span<const float> state) {
  if (state.size() != this->state().size()) {
    throw_error<ShapeError>("stream: a state has {} numbers here, got {}", this->state().size(),
                            state.size());
  }
  if (grid_) return grid_->set_state(state);
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
  if (prepared_->table_rows > 0) return grid_ ? grid_->read(grid_->look_up(ids)) : run({}, ids, steps);
  const Matrix x = x_.matrix().rows_at(0, steps);
  backend_->gather_rows(embedding_.matrix(), ids, x);
  return grid_ ? grid_->read(grid_->project(x)) : run(x, {}, steps);
}

ConstMatrix RecurrentStream::read(ConstMatrix x) {
  check_steps(x.rows);
  if (x.columns != stack_->input_size())
    throw_error<ShapeError>("stream: x must be [T, {}], got [{}, {}]", stack_->input_size(), x.rows,
                            x.columns);
  return grid_ ? grid_->read(grid_->project(x)) : run(x, {}, x.rows);
}

ConstMatrix RecurrentStream::run(ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps) {
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    const Matrix y = dense(y_, steps, layers_[layer].P);
    run_layer(layer, x, x_rows, steps, y);
    std::swap(y_, below_);  // what the layer wrote is what the next one reads
    x = y;
    x_rows = {};
  }
  std::swap(states_, next_);
  return x;
}

void RecurrentStream::run_layer(size_t index, ConstMatrix x, std::span<const int32_t> x_rows, int64_t steps,
                                const Matrix& y) {
  const Layer& layer = layers_[index];
  const CellKind kind = stack_->options().kind();
  const Matrix before = states_.matrix().columns_at(layer.start, layer.P + layer.C);
  const Matrix after = next_.matrix().columns_at(layer.start, layer.P + layer.C);
  RecurrentDirection direction{.weights = layer.weights,
                               .packed = prepared_->packed[index].get(),
                               .h0 = before.columns_at(0, layer.P),
                               .y = y,
                               .h_n = after.columns_at(0, layer.P),
                               .gates = dense(gates_, steps, kind.saved_blocks() * layer.H)};
  if (layer.C > 0) {
    direction.c0 = before.columns_at(layer.P, layer.C);
    direction.c_n = after.columns_at(layer.P, layer.C);
    direction.cells = dense(cells_, steps, layer.H);
  }
  backend_->recurrent_forward({.kind = kind,
                               .rows = {std::span(kOffsets).first(static_cast<size_t>(steps) + 1), 1},
                               .x = x,
                               .x_rows = x_rows,
                               .precision = prepared_->precision,
                               .directions = std::span(&direction, 1)});
}

}  // namespace rondo
