#include "layers/grid.h"

#include <utility>

#include "base/errors.h"
#include "layers/dropout.h"
#include "layers/recurrent_pass.h"
#include "tensor/operations.h"

namespace rondo {

GridShape grid_shape(const RecurrentOptions& options, int64_t input, bool reverse, DType type) {
  const GridOptions& grid = options.grid;
  GridShape shape{.input = input,
                  .hidden = options.hidden,
                  .layers = options.layers,
                  .along = {grid.along_depth},
                  .priority = grid.priority == Priority::kDepth  ? 0
                              : grid.priority == Priority::kTime ? 1
                                                                 : -1,
                  .output_gate = grid.output_gate,
                  .tied_layers = grid.tied_layers,
                  .suffix = reverse ? "_reverse" : "",
                  .type = type};
  if (grid.dimensions() > 1) shape.along.push_back(grid.along_time);
  return shape;
}

size_t packed_index(const GridShape& shape, int64_t direction, int64_t layer, int64_t dimension) {
  const int64_t layers = shape.tied_layers ? 1 : shape.layers;
  const int64_t own = shape.tied_layers ? 0 : layer;
  return static_cast<size_t>((direction * layers + own) * shape.dimensions() + dimension);
}

GridStack::GridStack(ParameterSet& set, int64_t input, const RecurrentOptions& options, DType type)
    : options_(options) {
  for (int64_t d = 0; d < options_.directions(); ++d) {
    grids_.emplace_back(set, grid_shape(options_, input, d == 1, type));
  }
}

void GridStack::initialize(const Stream& stream) {
  for (size_t d = 0; d < grids_.size(); ++d) {
    grids_[d].initialize(options_.init, options_.forget_bias, stream.sub(d));
  }
}

// One direction of one pass.
struct GridStack::Run {
  Tape& tape;
  const GridStack& grid;
  const RecurrentInput& input;
  const Packing& packing;
  const RecurrentState& initial;
  int64_t direction;
  Precision precision;
  DistinctRows h = {};          // along depth: distinct rows below the first layer
  Variable m = {};              // [R, H], or empty
  GridLayout layout = {};       // where a layer looks at the step before by hand
  RecurrentOutput output = {};  // of this direction

  const GridShape& shape() const { return grid.blocks(direction).shape(); }
  bool reverse() const { return direction == 1; }
  DType type() const { return shape().type; }

  Variable drop(const Variable& x, double probability) const {
    return grid.options_.locked_dropout ? locked_dropout(x, packing, probability) : dropout(x, probability);
  }
  Variable zeros() const { return tape.input(Tensor::zeros({packing.sequences(), shape().hidden}, type())); }
  Variable state_before(const std::vector<Variable>& states, int64_t layer) const {
    const auto index = static_cast<size_t>(layer * grid.options_.directions() + direction);
    return states.empty() ? Variable() : states.at(index);
  }
  bool has_cells(size_t dimension) const { return shape().along[dimension] == Along::kLstm; }

  void begin();
  Variable time(const BlockWeights& block, int64_t layer);
  void depth(const BlockWeights& block, int64_t layer, const Variable& entering);
  void staged(const BlockWeights& block, int64_t layer);
  void keep_final(const StagedLayer& result, const GridStates& before);
  void depth_as_time(const GridWeights& weights);
  void keep(std::vector<RecurrentTrace> traces, int64_t layer, int64_t dimension);
  Variable before(const Variable& y, const Variable& h0) const;
  void run();
};

// The input, projected to h and m.
void GridStack::Run::begin() {
  Variable projected;
  std::vector<int32_t> rows = input.x.rows;
  if (!input.ids.empty()) {
    const Tensor& table = input.prepared->tables.at(static_cast<size_t>(direction));
    const Tensor taken({packing.num_rows(), shape().depth_columns()}, type());
    tape.backend().gather_rows(table.matrix(), input.ids, taken.matrix());
    projected = tape.input(taken);
    rows.clear();
  } else if (grid.options_.input_dropout > 0 && tape.options().training) {
    // A mask a row needs a row a place.
    projected = grid.blocks(direction).project(drop(gather(input.x), grid.options_.input_dropout), precision);
    rows.clear();
  } else {
    projected = grid.blocks(direction).project(input.x.x, precision);
  }
  const int64_t H = shape().hidden;
  h = {has_cells(0) ? slice(projected, {.columns = H}) : projected, rows};
  if (has_cells(0)) m = gather({slice(projected, {.first_column = H, .columns = H}), rows});
}

void GridStack::Run::keep(std::vector<RecurrentTrace> traces, int64_t layer, int64_t dimension) {
  for (RecurrentTrace& trace : traces) {
    trace.layer = layer;
    trace.reverse = reverse();
    if (trace.stage < 0) trace.dimension = dimension;
    output.traces.push_back(std::move(trace));
  }
}

// All steps of one layer: time reads what comes up along depth, as a layer of a stack does.
Variable GridStack::Run::time(const BlockWeights& block, int64_t layer) {
  const GridWeights& w = block[1];
  DirectionInputs in{.w_ih = w.w_ih,
                     .w_hh = w.w_hh,
                     .b_ih = w.bias,
                     .b_hh = w.zeros,
                     .w_hr = {},
                     .peepholes = {},
                     .h0 = state_before(initial.h, layer),
                     .c0 = has_cells(1) ? state_before(initial.c, layer) : Variable(),
                     .state_mask = {},
                     .packed = w.packed.get(),
                     .reverse = reverse()};
  if (grid.options_.state_dropout > 0 && tape.options().training) {
    in.state_mask = Tensor({packing.sequences(), shape().hidden}, type());
    tape.backend().dropout_mask(tape.next_stream(), grid.options_.state_dropout, in.state_mask.matrix());
  }
  LayerPass pass{.kind = w.kind, .precision = precision, .x = h, .directions = {in}};
  LayerOutput result = recurrent_layer(tape, pass, packing);
  output.final.h.push_back(result.h_n[0]);
  if (has_cells(1)) output.final.c.push_back(result.c_n[0]);
  keep(std::move(result.traces), layer, 1);
  return result.y;
}

// h of time as it entered each row: that of the step before.
Variable GridStack::Run::before(const Variable& y, const Variable& h0) const {
  if (packing.num_rows() == 0) return y;
  const std::vector<Variable> both = {y, h0 ? h0 : zeros()};
  const auto count = static_cast<int32_t>(packing.num_rows());
  std::vector<int32_t> rows(static_cast<size_t>(packing.num_rows()));
  for (int64_t s = 0; s < layout.stages(); ++s) {
    const int64_t first = layout.offsets[static_cast<size_t>(s)];
    const int64_t previous = s == 0 ? 0 : layout.offsets[static_cast<size_t>(s) - 1];
    for (int64_t r = first; r < layout.offsets[static_cast<size_t>(s) + 1]; ++r) {
      const int32_t from = layout.before[0][static_cast<size_t>(r)];
      rows[static_cast<size_t>(layout.order[static_cast<size_t>(r)])] =
          from < 0 ? count - 1 - from : layout.order[static_cast<size_t>(previous + from)];
    }
  }
  return gather({stack_rows(both), std::move(rows)});
}

// @param entering  [R, H]: the h of time that depth sees; no h: there is no time.
void GridStack::Run::depth(const BlockWeights& block, int64_t layer, const Variable& entering) {
  TransformInput in{.x = {}, .h = entering, .m = m, .precision = precision};
  if (entering) {
    in.x = h;
  } else {
    in.h = gather(h);
  }
  GridTransform result = grid_transform(tape, block[0], in);
  h = {result.h, {}};
  m = result.m;
  keep(std::move(result.traces), layer, 0);
}

// A layer whose time waits for its depth: step by step.
void GridStack::Run::staged(const BlockWeights& block, int64_t layer) {
  GridStates before{.h = {{}, state_before(initial.h, layer)}, .m = {{}, {}}};
  if (!before.h[1]) before.h[1] = zeros();
  if (has_cells(1)) {
    before.m[1] = state_before(initial.c, layer);
    if (!before.m[1]) before.m[1] = zeros();
  }
  StagedLayer result = staged_layer(
      tape, block, layout,
      {.h = gather(h), .m = m, .initial = before, .priority = shape().priority, .precision = precision});
  h = {result.h, {}};
  m = result.m;
  keep_final(result, before);
  keep(std::move(result.traces), layer, 1);
}

// The state of time after each sequence's own end: in the last stage that it has a row in.
void GridStack::Run::keep_final(const StagedLayer& result, const GridStates& before) {
  std::vector<int32_t> last(static_cast<size_t>(packing.sequences()));
  for (size_t n = 0; n < last.size(); ++n) {
    last[n] = static_cast<int32_t>(layout.num_rows() + static_cast<int64_t>(n));  // the initial state
  }
  for (int64_t s = 0; s < layout.stages(); ++s) {
    const int64_t first = layout.offsets[static_cast<size_t>(s)];
    for (int64_t r = first; r < layout.offsets[static_cast<size_t>(s) + 1]; ++r) {
      last[static_cast<size_t>(r - first)] = static_cast<int32_t>(r);
    }
  }
  const auto final = [&](std::vector<Variable> stages, const Variable& start) {
    stages.push_back(start);
    return last.empty() ? start : gather({stack_rows(stages), last});
  };
  output.final.h.push_back(final(result.stages_h[1], before.h[1]));
  if (has_cells(1)) output.final.c.push_back(final(result.stages_m[1], before.m[1]));
}

// Depth alone with tied layers is an LSTM without an input whose steps are the layers: one pass runs them
// all.
void GridStack::Run::depth_as_time(const GridWeights& weights) {
  const int64_t rows = packing.num_rows();
  const std::vector<int64_t> steps(static_cast<size_t>(rows), shape().layers);
  LayerPass pass{.kind = weights.kind,
                 .precision = precision,
                 .x = {tape.input(Tensor({rows * shape().layers, 0}, type())), {}},
                 .directions = {}};
  pass.directions.push_back({.w_ih = weights.w_ih,
                             .w_hh = weights.w_hh,
                             .b_ih = weights.bias,
                             .b_hh = weights.zeros,
                             .w_hr = {},
                             .peepholes = {},
                             .h0 = gather(h),
                             .c0 = m,
                             .state_mask = {},
                             .packed = weights.packed.get()});
  const LayerOutput result = recurrent_layer(tape, pass, Packing(steps));
  h = {result.h_n[0], {}};
  m = result.c_n.empty() ? Variable() : result.c_n[0];
}

void GridStack::Run::run() {
  begin();
  const RecurrentOptions& o = grid.options_;
  std::vector<BlockWeights> blocks = grid.blocks(direction).on_tape(tape, precision, o.weight_dropout);
  for (int64_t layer = 0; layer < o.layers && input.prepared != nullptr; ++layer) {
    for (int64_t i = 0; i < shape().dimensions(); ++i) {
      const auto& packed = input.prepared->packed.at(packed_index(shape(), direction, layer, i));
      blocks[static_cast<size_t>(layer)][static_cast<size_t>(i)].packed = packed;
    }
  }
  const bool alone = shape().dimensions() == 1;
  if (alone && o.grid.tied_layers && o.dropout == 0 && !tape.options().tracing && packing.num_rows() > 0) {
    return depth_as_time(blocks[0][0]);
  }
  if (!alone && shape().priority != 0) layout = sequence_layout(packing, reverse());
  for (int64_t layer = 0; layer < o.layers; ++layer) {
    const BlockWeights& block = blocks[static_cast<size_t>(layer)];
    if (layer > 0) h.x = drop(h.x, o.dropout);
    if (alone) {
      depth(block, layer, {});
    } else if (shape().priority == 1) {
      staged(block, layer);
    } else {
      const Variable y = time(block, layer);
      depth(block, layer, shape().priority == 0 ? y : before(y, state_before(initial.h, layer)));
    }
  }
}

RecurrentOutput GridStack::forward(Tape& tape, const RecurrentInput& input, const Packing& packing,
                                   const RecurrentState& initial) const {
  const Precision precision = input.prepared != nullptr ? input.prepared->precision : options_.precision;
  RecurrentOutput output;
  std::vector<RecurrentOutput> ways;
  std::vector<Variable> tops;
  for (int64_t d = 0; d < options_.directions(); ++d) {
    Run run{tape, *this, input, packing, initial, d, precision};
    run.run();
    const std::vector<Variable> top = {gather(run.h), run.m};
    tops.push_back(run.m ? concatenate(top) : top[0]);
    ways.push_back(std::move(run.output));
  }
  output.y = concatenate(tops);
  for (size_t i = 0; i < ways[0].final.h.size(); ++i) {
    for (const RecurrentOutput& way : ways) {
      output.final.h.push_back(way.final.h[i]);
      if (!way.final.c.empty()) output.final.c.push_back(way.final.c[i]);
    }
  }
  for (RecurrentOutput& way : ways) {
    for (RecurrentTrace& trace : way.traces) output.traces.push_back(std::move(trace));
  }
  return output;
}

Variable final_rows(const Variable& y, const Packing& packing, const RecurrentOptions& options) {
  const PackedRows rows = packing.rows();
  const int64_t width = options.output();
  std::vector<Variable> ways;
  for (int64_t d = 0; d < options.directions(); ++d) {
    const Variable zero = y.tape().input(Tensor::zeros({1, width}, y.value().type()));
    const std::vector<Variable> all = {slice(y, {.first_column = d * width, .columns = width}), zero};
    std::vector<int32_t> last;
    for (int64_t n = 0; n < packing.sequences(); ++n) {
      const int64_t length = packing.length(n);
      const int64_t row = length == 0 ? packing.num_rows() : rows.row(d == 1 ? 0 : length - 1, n);
      last.push_back(static_cast<int32_t>(row));
    }
    ways.push_back(gather({stack_rows(all), std::move(last)}));
  }
  return concatenate(ways);
}

PreparedStack GridStack::prepare(Backend& backend, Precision precision, const Tensor& embedding,
                                 bool streams) const {
  if (precision == Precision::kInt8) {
    throw_error<ConfigError>("--precision int8: a grid runs in f32 or bf16; choose one of these");
  }
  PreparedStack prepared{.backend = &backend, .precision = precision, .packed = {}, .tables = {}};
  for (const GridBlocks& blocks : grids_) {
    for (int64_t layer = 0; layer < blocks.different_layers(); ++layer) {
      for (int64_t i = 0; i < blocks.shape().dimensions(); ++i) {
        prepared.packed.push_back(
            backend.pack_recurrent(blocks.shape().kind(i), blocks.weights(layer, i), precision, {}, streams));
      }
    }
    if (!embedding) continue;
    prepared.tables.emplace_back(Shape{embedding.dim(0), blocks.shape().depth_columns()}, embedding.type());
    backend.product({.a = embedding.matrix(),
                     .b = blocks.input_weight(),
                     .c = prepared.tables.back().matrix(),
                     .bias = blocks.input_bias(),
                     .transpose_b = true,
                     .precision = precision});
    prepared.table_rows = embedding.dim(0);
  }
  return prepared;
}

}  // namespace rondo
