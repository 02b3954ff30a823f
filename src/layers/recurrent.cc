#include "layers/recurrent.h"

#include <cmath>

#include "base/errors.h"
#include "layers/dropout.h"
#include "layers/grid.h"
#include "layers/recurrent_pass.h"
#include "tensor/operations.h"

namespace rondo {

RecurrentStack::RecurrentStack(ParameterSet& set, int64_t input, const RecurrentOptions& options, DType type)
    : options_(options), input_(input) {
  options_.check();
  if (options_.is_grid()) {
    grid_ = std::make_shared<GridStack>(set, input, options_, type);
    return;
  }
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    for (int64_t d = 0; d < options_.directions(); ++d) {
      const std::string suffix = fmt::format("_l{}{}", layer, d == 1 ? "_reverse" : "");
      directions_.push_back(add_direction(set, layer, suffix, type));
    }
  }
}

RecurrentStack::Direction RecurrentStack::add_direction(ParameterSet& set, int64_t layer,
                                                        const std::string& suffix, DType type) {
  const std::string cell = name_of(options_.cell);
  const auto add = [&](const char* name, Shape shape) {
    return &set.add(cell + "." + name + suffix, Tensor::zeros(std::move(shape), type));
  };
  const CellKind kind = options_.kind();
  const int64_t hidden = options_.hidden_of(layer);
  const int64_t rows = kind.blocks() * hidden;
  Direction direction{.w_ih = add("weight_ih", {rows, options_.input_of(layer, input_)}),
                      .w_hh = add("weight_hh", {rows, options_.output_of(layer)}),
                      .b_ih = add("bias_ih", {rows}),
                      .b_hh = add("bias_hh", {rows})};
  if (options_.projection > 0) direction.w_hr = add("weight_hr", {options_.projection, hidden});
  if (options_.peepholes) direction.peepholes = add("weight_peephole", {kind.peephole_rows(), hidden});
  return direction;
}

void RecurrentStack::initialize(const Stream& stream) {
  if (grid_) return grid_->initialize(stream);
  for (size_t i = 0; i < directions_.size(); ++i) initialize(directions_[i], stream.sub(i));
}

void RecurrentStack::initialize(const Direction& direction, const Stream& stream) const {
  const int64_t hidden = direction.w_ih->value.dim(0) / options_.kind().blocks();
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
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
  if (options_.cell != Cell::kLstm || !options_.has_forget_gates()) return;
  const double added = options_.forget_bias + (keras ? 1 : 0);
  float* forget = direction.b_ih->value.data<float>() + options_.kind().lstm().f * hidden;
  for (int64_t u = 0; u < hidden; ++u) forget[u] += static_cast<float>(added);
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
                     .peepholes = optional(direction.peepholes),
                     .reverse = index % options_.directions() == 1};
  if (!initial.h.empty()) in.h0 = initial.h.at(index);
  if (!initial.c.empty()) in.c0 = initial.c.at(index);
  if (options_.state_dropout > 0 && tape.options().training) {
    in.state_mask = Tensor({packing.sequences(), in.w_hh.matrix().columns}, in.w_hh.value().type());
    tape.backend().dropout_mask(tape.next_stream(), options_.state_dropout, in.state_mask.matrix());
  }
  return in;
}

void RecurrentStack::check(const Tape& tape, const RecurrentInput& input, const Packing& packing) const {
  const char* cell = name_of(options_.cell);
  const TapeOptions& options = tape.options();
  if (input.prepared != nullptr && (options.recording || options.training)) {
    throw_error<ConfigError>(
        "{}: prepared weights are for inference: they have neither gradients nor dropout", cell);
  }
  if (options.recording && options_.precision == Precision::kInt8) {
    throw_error<ConfigError>("{}: int8 is for inference: it has no gradients", cell);
  }
  if (!input.ids.empty()) {
    const int64_t table = input.prepared == nullptr ? 0 : input.prepared->table_rows;
    if (table > 0 && static_cast<int64_t>(input.ids.size()) == packing.num_rows()) return;
    throw_error<ShapeError>("{}: {} ids for {} packed rows and a table of {}", cell, input.ids.size(),
                            packing.num_rows(), table);
  }
  if (!input.x.x || input.x.x.matrix().columns != input_ || input.x.num_rows() != packing.num_rows()) {
    throw_error<ShapeError>("{}: x must be [{}, {}], got [{}, {}]", cell, packing.num_rows(), input_,
                            input.x.x ? input.x.num_rows() : 0, input.x.x.matrix().columns);
  }
}

RecurrentOutput RecurrentStack::forward(Tape& tape, const RecurrentInput& input, const Packing& packing,
                                        const RecurrentState& initial) const {
  check(tape, input, packing);
  if (grid_) return grid_->forward(tape, input, packing, initial);
  LayerPass pass{.kind = options_.kind(), .precision = options_.precision, .x = input.x};
  if (input.prepared != nullptr) pass.precision = input.prepared->precision;
  if (!input.ids.empty()) pass.x.rows.assign(input.ids.begin(), input.ids.end());
  const auto drop = [&](const Variable& x, double probability) {
    return options_.locked_dropout ? locked_dropout(x, packing, probability) : dropout(x, probability);
  };
  // A mask a row needs a row a place.
  if (options_.input_dropout > 0 && tape.options().training) {
    pass.x = {drop(gather(input.x), options_.input_dropout), {}};
  }
  RecurrentOutput output;
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    pass.directions.clear();
    for (int64_t d = 0; d < options_.directions(); ++d) {
      const int64_t index = layer * options_.directions() + d;
      pass.directions.push_back(inputs(tape, index, packing, initial));
      if (input.prepared != nullptr) pass.directions.back().packed = input.prepared->packed[index].get();
    }
    if (layer > 0) pass.x = {drop(output.y, options_.dropout), {}};
    LayerOutput result = recurrent_layer(tape, pass, packing);
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

RecurrentWeights RecurrentStack::weights(int64_t index) const {
  const Direction& d = directions_.at(static_cast<size_t>(index));
  const auto optional = [](const Parameter* p) { return p ? ConstMatrix(p->value.matrix()) : ConstMatrix(); };
  return {.w_ih = d.w_ih->value.matrix(),
          .w_hh = d.w_hh->value.matrix(),
          .b_ih = d.b_ih->value.matrix(),
          .b_hh = d.b_hh->value.matrix(),
          .w_hr = optional(d.w_hr),
          .peepholes = optional(d.peepholes)};
}

int64_t RecurrentStack::table_bytes(int64_t vocabulary) const {
  const int64_t row = grid_ ? options_.output_of(0) : options_.kind().saved_blocks() * options_.hidden_of(0);
  const int64_t columns = row * options_.directions();
  return vocabulary * columns * static_cast<int64_t>(sizeof(float));
}

PreparedStack RecurrentStack::prepare(Backend& backend, Precision precision, const Tensor& embedding,
                                      bool streams) const {
  if (grid_) return grid_->prepare(backend, precision, embedding, streams);
  PreparedStack prepared{.backend = &backend, .precision = precision};
  bool all = static_cast<bool>(embedding);
  for (int64_t i = 0; i < static_cast<int64_t>(directions_.size()); ++i) {
    const bool first = i < options_.directions();
    const ConstMatrix words = first ? ConstMatrix(embedding.matrix()) : ConstMatrix();
    prepared.packed.push_back(backend.pack_recurrent(options_.kind(), weights(i), precision, words, streams));
    if (first) all = all && prepared.packed.back() != nullptr;
  }
  if (all) prepared.table_rows = embedding.dim(0);
  return prepared;
}

}  // namespace rondo
