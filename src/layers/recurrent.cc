#include "layers/recurrent.h"

#include <cmath>

#include "base/errors.h"
#include "layers/recurrent_pass.h"
#include "tensor/operations.h"

namespace rondo {

RecurrentStack::RecurrentStack(ParameterSet& set, int64_t input, const RecurrentOptions& options, DType type)
    : options_(options), input_(input) {
  options_.check();
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    for (int64_t d = 0; d < options_.directions(); ++d) {
      const std::string suffix = fmt::format("_l{}{}", layer, d == 1 ? "_reverse" : "");
      directions_.push_back(add_direction(set, layer == 0 ? input : output_size(), suffix, type));
    }
  }
}

RecurrentStack::Direction RecurrentStack::add_direction(ParameterSet& set, int64_t input,
                                                        const std::string& suffix, DType type) {
  const std::string cell = name_of(options_.cell);
  const auto add = [&](const char* name, Shape shape) {
    return &set.add(cell + "." + name + suffix, Tensor::zeros(std::move(shape), type));
  };
  const CellKind kind = options_.kind();
  const int64_t rows = kind.blocks() * options_.hidden;
  Direction direction{.w_ih = add("weight_ih", {rows, input}),
                      .w_hh = add("weight_hh", {rows, options_.output()}),
                      .b_ih = add("bias_ih", {rows}),
                      .b_hh = add("bias_hh", {rows})};
  if (options_.projection > 0) direction.w_hr = add("weight_hr", {options_.projection, options_.hidden});
  if (options_.peepholes)
    direction.peepholes = add("weight_peephole", {kind.peephole_rows(), options_.hidden});
  return direction;
}

void RecurrentStack::initialize(const Stream& stream) {
  for (size_t i = 0; i < directions_.size(); ++i) initialize(directions_[i], stream.sub(i));
}

void RecurrentStack::initialize(const Direction& direction, const Stream& stream) const {
  const double bound = 1 / std::sqrt(static_cast<double>(options_.hidden));
  const bool keras = options_.init == Initialization::kKeras;
  Parameter* const parameters[] = {direction.w_ih, direction.w_hh, direction.b_ih,
                                   direction.b_hh, direction.w_hr, direction.peepholes};
  for (uint64_t i = 0; i < std::size(parameters); ++i) {
    if (!parameters[i]) continue;
    const Tensor& value = parameters[i]->value;
    if (!keras) {
      initialize_uniform(value, -bound, bound, stream.sub(i));
    } else if (i == 1 && options_.projection == 0) {
      initialize_orthogonal(value, stream.sub(i));
    } else if (i == 2 || i == 3) {
      value.fill(0);
    } else {
      initialize_glorot(value, value.dim(1), value.dim(0), stream.sub(i));
    }
  }
  if (options_.cell != Cell::kLstm) return;
  const double added = options_.forget_bias + (keras ? 1 : 0);
  float* forget = direction.b_ih->value.data<float>() + (options_.coupled ? 0 : options_.hidden);
  for (int64_t u = 0; u < options_.hidden; ++u) forget[u] += static_cast<float>(added);
}

DirectionInputs RecurrentStack::inputs(Tape& tape, int64_t index, const Packing& packing,
                                       const RecurrentState& initial) const {
  const Direction& direction = directions_[index];
  const auto optional = [&](Parameter* parameter) {
    return parameter ? tape.parameter(*parameter) : Variable();
  };
  DirectionInputs in{.w_ih = tape.parameter(*direction.w_ih),
                     .w_hh = dropout(tape.parameter(*direction.w_hh), options_.weight_dropout),
                     .b_ih = tape.parameter(*direction.b_ih),
                     .b_hh = tape.parameter(*direction.b_hh),
                     .w_hr = optional(direction.w_hr),
                     .peepholes = optional(direction.peepholes)};
  if (!initial.h.empty()) in.h0 = initial.h.at(index);
  if (!initial.c.empty()) in.c0 = initial.c.at(index);
  if (options_.state_dropout > 0 && tape.options().training) {
    in.state_mask = Tensor({packing.sequences(), options_.output()}, in.w_hh.value().type());
    tape.backend().dropout_mask(tape.next_stream(), options_.state_dropout, in.state_mask.matrix());
  }
  return in;
}

RecurrentOutput RecurrentStack::forward(Tape& tape, const Variable& x, const Packing& packing,
                                        const RecurrentState& initial) const {
  if (x.matrix().columns != input_ || x.matrix().rows != packing.num_rows()) {
    throw_error<ShapeError>("{}: x must be [{}, {}], got {}", name_of(options_.cell), packing.num_rows(),
                            input_, to_string(x.shape()));
  }
  RecurrentOutput output{.y = dropout(x, options_.input_dropout)};
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    std::vector<DirectionInputs> directions;
    for (int64_t d = 0; d < options_.directions(); ++d) {
      directions.push_back(inputs(tape, layer * options_.directions() + d, packing, initial));
    }
    if (layer > 0) output.y = dropout(output.y, options_.dropout);
    LayerOutput result = recurrent_layer(options_.kind(), output.y, packing, directions);
    output.y = result.y;
    output.final.h.insert(output.final.h.end(), result.h_n.begin(), result.h_n.end());
    output.final.c.insert(output.final.c.end(), result.c_n.begin(), result.c_n.end());
    for (RecurrentTrace& trace : result.traces) {
      trace.layer = layer;
      output.traces.push_back(std::move(trace));
    }
  }
  return output;
}

}  // namespace rondo
