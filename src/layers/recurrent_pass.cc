#include "layers/recurrent_pass.h"

#include <memory>

namespace rondo {

namespace {

constexpr size_t kInputsPerDirection = 8;

// What the forward pass leaves for the backward pass, and what keeps its memory alive.
struct Pass : LayerPass {
  Packing packing;
  Tensor y;
  std::vector<Tensor> h_n, c_n, gates, cells, d_states;

  RecurrentDirection direction(size_t d) const {
    const DirectionInputs& in = directions[d];
    const int64_t width = h_n[d].dim(1);
    return {.weights = {in.w_ih.matrix(), in.w_hh.matrix(), in.b_ih.matrix(), in.b_hh.matrix(),
                        in.w_hr.matrix(), in.peepholes.matrix()},
            .packed = in.packed,
            .reverse = in.reverse,
            .h0 = in.h0.matrix(),
            .c0 = in.c0.matrix(),
            .state_mask = in.state_mask.matrix(),
            .y = y.matrix().columns_at(static_cast<int64_t>(d) * width, width),
            .h_n = h_n[d].matrix(),
            .c_n = c_n[d].matrix(),
            .gates = gates[d].matrix(),
            .cells = cells[d].matrix()};
  }
};

void allocate(Pass& pass, bool tracing) {
  const DType type = pass.directions[0].w_hh.value().type();
  const int64_t rows = pass.packing.num_rows();
  const int64_t sequences = pass.packing.sequences();
  const int64_t hidden = pass.directions[0].w_ih.matrix().rows / pass.kind.blocks();
  const int64_t width = pass.directions[0].w_hh.matrix().columns;
  const bool has_cell = pass.kind.has_cell_state();
  pass.y = Tensor({rows, width * static_cast<int64_t>(pass.directions.size())}, type);
  for (size_t d = 0; d < pass.directions.size(); ++d) {
    pass.h_n.emplace_back(Shape{sequences, width}, type);
    pass.c_n.push_back(has_cell ? Tensor({sequences, hidden}, type) : Tensor());
    pass.gates.emplace_back(Shape{rows, pass.kind.saved_blocks() * hidden}, type);
    pass.cells.push_back(has_cell ? Tensor({rows, hidden}, type) : Tensor());
    if (tracing) {
      pass.d_states.push_back(Tensor::zeros({rows, has_cell ? hidden : width}, type));
    }
  }
}

void forward(Backend& backend, const Pass& pass) {
  std::vector<RecurrentDirection> directions;
  for (size_t d = 0; d < pass.directions.size(); ++d) directions.push_back(pass.direction(d));
  backend.recurrent_forward({.kind = pass.kind,
                             .rows = pass.packing.rows(),
                             .x = pass.x.x.matrix(),
                             .x_rows = pass.x.rows,
                             .precision = pass.precision,
                             .directions = directions});
}

// Results: y, then h_n and c_n of each direction. Inputs: x, then kInputsPerDirection of each direction.
void backward(Backend& backend, const Pass& pass, const Gradients& g) {
  const int64_t width = pass.h_n[0].dim(1);
  const size_t states = pass.kind.has_cell_state() ? 2 : 1;
  std::vector<RecurrentDirectionBackward> directions;
  for (size_t d = 0; d < pass.directions.size(); ++d) {
    const size_t in = 1 + d * kInputsPerDirection;
    const size_t out = 1 + d * states;
    const ConstMatrix d_y = g.result(0);
    directions.push_back({.forward = pass.direction(d),
                          .d_y = d_y ? d_y.columns_at(static_cast<int64_t>(d) * width, width) : ConstMatrix(),
                          .d_h_n = g.result(out),
                          .d_c_n = states == 2 ? g.result(out + 1) : ConstMatrix(),
                          .d_weights = {g.input(in), g.input(in + 1), g.input(in + 2), g.input(in + 3),
                                        g.input(in + 4), g.input(in + 5)},
                          .d_h0 = g.input(in + 6),
                          .d_c0 = g.input(in + 7),
                          .d_states = pass.d_states.empty() ? Matrix{} : pass.d_states[d].matrix()});
  }
  backend.recurrent_backward({.kind = pass.kind,
                              .rows = pass.packing.rows(),
                              .x = pass.x.x.matrix(),
                              .x_rows = pass.x.rows,
                              .precision = pass.precision,
                              .d_x = g.input(0),
                              .directions = directions});
}

std::vector<Variable> input_list(const Pass& pass) {
  std::vector<Variable> list = {pass.x.x};
  for (const DirectionInputs& in : pass.directions) {
    for (const Variable& variable :
         {in.w_ih, in.w_hh, in.b_ih, in.b_hh, in.w_hr, in.peepholes, in.h0, in.c0}) {
      list.push_back(variable);
    }
  }
  return list;
}

std::vector<Tensor> result_list(const Pass& pass) {
  std::vector<Tensor> list = {pass.y};
  for (size_t d = 0; d < pass.directions.size(); ++d) {
    list.push_back(pass.h_n[d]);
    if (pass.kind.has_cell_state()) list.push_back(pass.c_n[d]);
  }
  return list;
}

// A row a place; nothing where the rows are those of a table of inputs.
Tensor input_of(Backend& backend, const DistinctRows& x) {
  if (!x.x || x.rows.empty()) return x.x ? x.x.value() : Tensor();
  Tensor all({x.num_rows(), x.x.matrix().columns}, x.x.value().type());
  backend.gather_rows(x.x.matrix(), x.rows, all.matrix());
  return all;
}

std::vector<RecurrentTrace> traces_of(Backend& backend, const Pass& pass) {
  std::vector<RecurrentTrace> traces;
  if (pass.d_states.empty()) return traces;
  const Tensor input = input_of(backend, pass.x);
  const auto state = [](const Variable& before) { return before ? before.value() : Tensor(); };
  for (size_t d = 0; d < pass.d_states.size(); ++d) {
    traces.push_back({.reverse = pass.directions[d].reverse,
                      .input = input,
                      .h0 = state(pass.directions[d].h0),
                      .c0 = state(pass.directions[d].c0),
                      .gates = pass.gates[d].clone(),  // the backward pass overwrites the gates
                      .cells = pass.cells[d],
                      .hidden = pass.y,
                      .d_states = pass.d_states[d]});
  }
  return traces;
}

}  // namespace

LayerOutput recurrent_layer(Tape& tape, const LayerPass& layer, const Packing& packing) {
  Backend& backend = tape.backend();
  auto pass = std::make_shared<Pass>(Pass{layer, packing});
  allocate(*pass, tape.options().tracing);
  forward(backend, *pass);
  LayerOutput output{.traces = traces_of(backend, *pass)};
  std::vector<Variable> results =
      tape.make_results(result_list(*pass), input_list(*pass),
                        [&backend, pass](const Gradients& g) { backward(backend, *pass, g); });
  output.y = results[0];
  for (size_t i = 1; i < results.size();) {
    output.h_n.push_back(results[i++]);
    if (layer.kind.has_cell_state()) output.c_n.push_back(results[i++]);
  }
  return output;
}

}  // namespace rondo
