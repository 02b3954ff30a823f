#include "layers/grid_block.h"

#include <cmath>
#include <utility>

#include "base/errors.h"
#include "layers/recurrent_pass.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr int64_t kMostDimensions = 3;

const char* dimension_name(int64_t dimension, int64_t dimensions) {
  if (dimension == 0) return "depth";
  return dimensions == 2 ? "time" : dimension == 1 ? "row" : "column";
}

Packing one_step(int64_t rows) { return Packing(std::vector<int64_t>(static_cast<size_t>(rows), 1)); }

}  // namespace

void GridShape::check() const {
  if (dimensions() < 1 || dimensions() > kMostDimensions) {
    throw_error<ConfigError>("grid: {} dimensions; there are grids of 1 to {}, depth the first of them",
                             dimensions(), kMostDimensions);
  }
  for (const Along along_dimension : along) {
    if (along_dimension == Along::kNone) {
      throw_error<ConfigError>("grid: a dimension that carries nothing; leave it out");
    }
  }
  if (priority < -1 || priority >= dimensions()) {
    throw_error<ConfigError>("grid: priority of dimension {} of {}", priority, dimensions());
  }
}

GridBlocks::GridBlocks(ParameterSet& set, GridShape shape) : shape_(std::move(shape)) {
  shape_.check();
  const auto add = [&](const std::string& name, int64_t layer, Shape size) {
    return &set.add(fmt::format("grid.{}_l{}{}", name, layer, shape_.suffix),
                    Tensor::zeros(std::move(size), shape_.type));
  };
  const int64_t N = shape_.dimensions(), H = shape_.hidden;
  input_weight_ = add("weight_input", 0, {shape_.depth_columns(), shape_.input});
  input_bias_ = add("bias_input", 0, {shape_.depth_columns()});
  for (int64_t layer = 0; layer < different_layers(); ++layer) {
    for (int64_t i = 0; i < N; ++i) {
      const std::string name = dimension_name(i, N);
      const int64_t rows = shape_.kind(i).blocks() * H;
      dimensions_.push_back({.weight = add("weight_" + name, layer, {rows, N * H}),
                             .bias = add("bias_" + name, layer, {rows})});
    }
  }
  zeros_ = Tensor::zeros({4 * H}, shape_.type);
}

const GridBlocks::Dimension& GridBlocks::dimension(int64_t layer, int64_t dimension) const {
  const int64_t own = shape_.tied_layers ? 0 : layer;
  return dimensions_.at(static_cast<size_t>(own * shape_.dimensions() + dimension));
}

void GridBlocks::initialize(Initialization rule, double forget_bias, const Stream& stream) {
  const bool keras = rule == Initialization::kKeras;
  const auto draw = [&](const Tensor& weight, const Stream& numbers) {
    if (keras) return initialize_glorot(weight, weight.dim(1), weight.dim(0), numbers);
    const double bound = 1 / std::sqrt(static_cast<double>(weight.dim(1)));
    initialize_uniform(weight, -bound, bound, numbers);
  };
  draw(input_weight_->value, stream.sub(0));
  input_bias_->value.fill(0);
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    draw(dimensions_[i].weight->value, stream.sub(i + 1));
    const Tensor& bias = dimensions_[i].bias->value;
    bias.fill(0);
    if (bias.size() != 4 * shape_.hidden) continue;
    for (int64_t u = 0; u < shape_.hidden; ++u) {
      bias.data<float>()[shape_.hidden + u] = static_cast<float>(forget_bias + (keras ? 1 : 0));
    }
  }
}

std::vector<BlockWeights> GridBlocks::on_tape(Tape& tape, Precision precision, double weight_dropout) const {
  const int64_t N = shape_.dimensions(), H = shape_.hidden;
  std::vector<BlockWeights> blocks;
  for (int64_t layer = 0; layer < different_layers(); ++layer) {
    BlockWeights& block = blocks.emplace_back();
    for (int64_t i = 0; i < N; ++i) {
      const Dimension& at = dimension(layer, i);
      const Variable weight = tape.parameter(*at.weight);
      const int64_t rows = at.bias->value.size();
      GridWeights w{.kind = shape_.kind(i),
                    .w_ih = N > 1 ? slice(weight, {.columns = (N - 1) * H})
                                  : tape.input(Tensor({rows, 0}, shape_.type)),
                    .w_hh = slice(weight, {.first_column = (N - 1) * H, .columns = H}),
                    .bias = tape.parameter(*at.bias),
                    .zeros = tape.input(Tensor::zeros({rows}, shape_.type)),
                    .packed = nullptr};
      if (i > 0) w.w_hh = dropout(w.w_hh, weight_dropout);
      if (shape_.tied_layers && shape_.layers > 1) {
        w.packed = tape.backend().pack_recurrent(
            w.kind, {w.w_ih.matrix(), w.w_hh.matrix(), w.bias.matrix(), w.zeros.matrix(), {}, {}}, precision,
            {});
      }
      block.push_back(std::move(w));
    }
  }
  for (int64_t layer = different_layers(); layer < shape_.layers; ++layer) blocks.push_back(blocks[0]);
  return blocks;
}

Variable GridBlocks::project(const Variable& x, Precision precision) const {
  if (x.matrix().columns != shape_.input) {
    throw_error<ShapeError>("grid: x must be [R, {}], got {}", shape_.input, to_string(x.shape()));
  }
  return linear(x, x.tape().parameter(*input_weight_), x.tape().parameter(*input_bias_), precision);
}

RecurrentWeights GridBlocks::weights(int64_t layer, int64_t i) const {
  const Dimension& at = dimension(layer, i);
  const ConstMatrix weight = at.weight->value.matrix();
  const int64_t H = shape_.hidden, others = weight.columns - H;
  return {.w_ih = weight.columns_at(0, others),
          .w_hh = weight.columns_at(others, H),
          .b_ih = at.bias->value.matrix(),
          .b_hh = zeros_.matrix().columns_at(0, at.bias->value.size()),
          .w_hr = {},
          .peepholes = {}};
}

GridTransform grid_transform(Tape& tape, const GridWeights& weights, const TransformInput& in) {
  const int64_t rows = in.h.matrix().rows;
  if (rows == 0) return {.h = in.h, .m = in.m, .traces = {}};
  LayerPass pass{.kind = weights.kind, .precision = in.precision, .x = in.x, .directions = {}};
  if (!in.x.x) pass.x = {tape.input(Tensor({rows, 0}, in.h.value().type())), {}};
  pass.directions.push_back({.w_ih = weights.w_ih,
                             .w_hh = weights.w_hh,
                             .b_ih = weights.bias,
                             .b_hh = weights.zeros,
                             .w_hr = {},
                             .peepholes = {},
                             .h0 = in.h,
                             .c0 = in.m,
                             .state_mask = {},
                             .packed = weights.packed.get()});
  LayerOutput out = recurrent_layer(tape, pass, one_step(rows));
  return {.h = out.y, .m = out.c_n.empty() ? Variable() : out.c_n[0], .traces = std::move(out.traces)};
}

namespace {

// The dimensions in the order in which they are computed.
std::vector<size_t> computing_order(size_t dimensions, int64_t priority) {
  std::vector<size_t> order;
  for (size_t i = 0; i < dimensions; ++i) {
    if (static_cast<int64_t>(i) != priority) order.push_back(i);
  }
  if (priority >= 0) order.push_back(static_cast<size_t>(priority));
  return order;
}

struct BlockOutput {
  GridStates states;
  std::vector<RecurrentTrace> traces;
};

// All dimensions of one block for the rows of one stage.
BlockOutput run_block(Tape& tape, const BlockWeights& block, const GridStates& in, const StagedInput& how) {
  BlockOutput out{.states = in, .traces = {}};
  std::vector<Variable> seen = in.h;  // H, and H' for the priority dimension
  for (const size_t i : computing_order(block.size(), how.priority)) {
    if (static_cast<int64_t>(i) == how.priority) seen = out.states.h;
    const Variable x = seen.size() > 1 ? concatenate(std::span(seen).first(seen.size() - 1)) : Variable();
    GridTransform result = grid_transform(
        tape, block[i], {.x = {x, {}}, .h = seen.back(), .m = in.m[i], .precision = how.precision});
    out.states.h[i] = result.h;
    out.states.m[i] = result.m;
    for (RecurrentTrace& trace : result.traces) {
      trace.dimension = static_cast<int64_t>(i);
      out.traces.push_back(std::move(trace));
    }
  }
  return out;
}

// Which states enter a stage: of the rows of the stage before, or initial ones.
Variable entering(const Variable& before, const Variable& initial, std::span<const int32_t> from) {
  if (!before || !initial) return {};
  const std::vector<Variable> both = {before, initial};
  const auto count = static_cast<int32_t>(before.matrix().rows);
  std::vector<int32_t> rows;
  for (const int32_t row : from) rows.push_back(row >= 0 ? row : count - 1 - row);
  return gather({stack_rows(both), std::move(rows)});
}

Variable initial_only(const Variable& initial, std::span<const int32_t> from) {
  if (!initial) return {};
  std::vector<int32_t> rows;
  for (const int32_t row : from) rows.push_back(-1 - row);
  return gather({initial, std::move(rows)});
}

// Depth's states in the order of storage.
Variable stored(const std::vector<Variable>& stages, const GridLayout& layout) {
  if (!stages.front()) return {};
  std::vector<int32_t> inverse(layout.order.size());
  for (size_t r = 0; r < inverse.size(); ++r) {
    inverse[static_cast<size_t>(layout.order[r])] = static_cast<int32_t>(r);
  }
  return gather({stack_rows(stages), std::move(inverse)});
}

}  // namespace

StagedLayer staged_layer(Tape& tape, const BlockWeights& block, const GridLayout& layout,
                         const StagedInput& in) {
  StagedLayer out{.stages_h = std::vector<std::vector<Variable>>(block.size()),
                  .stages_m = std::vector<std::vector<Variable>>(block.size())};
  if (layout.stages() == 0) {
    out.h = in.h;
    out.m = in.m;
    return out;
  }
  for (int64_t s = 0; s < layout.stages(); ++s) {
    const auto first = static_cast<size_t>(layout.offsets[static_cast<size_t>(s)]);
    const size_t count = static_cast<size_t>(layout.offsets[static_cast<size_t>(s) + 1]) - first;
    const auto begin = layout.order.begin() + static_cast<std::ptrdiff_t>(first);
    const std::vector<int32_t> rows(begin, begin + static_cast<std::ptrdiff_t>(count));
    GridStates states{.h = {gather({in.h, rows})}, .m = {in.m ? gather({in.m, rows}) : Variable()}};
    for (size_t i = 1; i < block.size(); ++i) {
      const std::span<const int32_t> from = std::span(layout.before[i - 1]).subspan(first, count);
      states.h.push_back(s == 0 ? initial_only(in.initial.h[i], from)
                                : entering(out.stages_h[i].back(), in.initial.h[i], from));
      states.m.push_back(s == 0 ? initial_only(in.initial.m[i], from)
                                : entering(out.stages_m[i].back(), in.initial.m[i], from));
    }
    BlockOutput result = run_block(tape, block, states, in);
    for (size_t i = 0; i < block.size(); ++i) {
      out.stages_h[i].push_back(result.states.h[i]);
      out.stages_m[i].push_back(result.states.m[i]);
    }
    for (RecurrentTrace& trace : result.traces) {
      trace.stage = s;
      out.traces.push_back(std::move(trace));
    }
  }
  out.h = stored(out.stages_h[0], layout);
  out.m = stored(out.stages_m[0], layout);
  return out;
}

}  // namespace rondo
