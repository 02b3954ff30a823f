#include "rondo_layers.h"

#include <algorithm>
#include <stdexcept>

#include "kernels/cpu/cpu_backend.h"

namespace rondo::bench {
namespace {

Matrix matrix(float* values, int64_t rows, int64_t columns) {
  return {values, DType::kFloat32, rows, columns, columns};
}

}  // namespace

Cell cell_of(const std::string& name) {
  return name == "rnn" ? Cell::kRnn : name == "gru" ? Cell::kGru : Cell::kLstm;
}

void RondoLayers::prepare(const Case& c, const std::string& inputs) {
  case_ = c;
  precision_ = precision_of(c.precision);
  if (c.streaming() && (c.layers > 1 || c.directions > 1)) {
    throw std::runtime_error("streams go through one layer and direction here");
  }
  kind_ = {.cell = cell_of(c.cell)};
  inputs_ = read_inputs(c, inputs);
  const bool padded = c.variant == "padded";
  packing_ = c.streaming() ? Packing(std::vector<int64_t>(c.batch, 1))
                           : Packing(padded ? std::vector<int64_t>(c.batch, c.steps) : c.lengths);
  if (!backend_ || backend_->threads().threads() != c.threads) backend_ = make_cpu_backend(c.threads);
  x_ = to_packed(inputs_.x, c.input);
  d_x_.assign(x_.size(), 0);
  gradients_.assign(inputs_.x - inputs_.values.data(), 0);
  d_weights_ = lay_out_weights(c, gradients_.data());
  streamed_.assign(c.streaming() ? c.steps * c.batch * c.hidden : 0, 0);
  layers_.clear();
  layers_.resize(c.layers);
  for (int64_t i = 0; i < c.layers; ++i) {
    allocate(layers_[i]);
    for (int64_t d = 0; d < c.directions; ++d) add_direction(i, d);
  }
  if (c.streaming()) return;
  const std::vector<float> d_y = to_packed(inputs_.d_y, c.output());
  std::copy(d_y.begin(), d_y.end(), layers_.back().d_y.begin());  // its place is known to the passes
}

Matrix RondoLayers::rows_of(std::vector<float>& values) const {
  const int64_t rows = packing_.num_rows();
  return matrix(values.data(), rows, static_cast<int64_t>(values.size()) / rows);
}

void RondoLayers::allocate(Layer& layer) const {
  const int64_t rows = packing_.num_rows(), all = case_.directions * case_.hidden;
  layer.y.resize(rows * all);
  layer.d_y.resize(rows * all);
  layer.h_n.resize(case_.batch * all);
  layer.c_n.resize(2 * case_.batch * all);  // a stream's two
  layer.gates.resize(rows * all * kind_.saved_blocks());
  layer.cells.resize(rows * all);
  // Spans of these are handed out: they must not move.
  layer.forward.reserve(case_.directions);
  layer.backward.reserve(case_.directions);
}

void RondoLayers::add_direction(int64_t index, int64_t direction) {
  Layer& layer = layers_[index];
  const int64_t H = case_.hidden, N = case_.batch, R = packing_.num_rows();
  const int64_t D = case_.input_of(index), G = case_.gates(), S = kind_.saved_blocks();
  const Weights& w = inputs_.weights[index * case_.directions + direction];
  RecurrentDirection forward{.weights = {.w_ih = matrix(w.w_ih, G * H, D),
                                         .w_hh = matrix(w.w_hh, G * H, H),
                                         .b_ih = matrix(w.b_ih, 1, G * H),
                                         .b_hh = matrix(w.b_hh, 1, G * H)},
                             .reverse = direction == 1};
  if (!case_.training()) {
    layer.packed.push_back(
        backend_->pack_recurrent(kind_, forward.weights, precision_, {}, /*streams=*/N <= 3));
    forward.packed = layer.packed.back().get();
  }
  forward.y = rows_of(layer.y).columns_at(direction * H, H);
  forward.h_n = matrix(layer.h_n.data() + direction * N * H, N, H);
  forward.gates = matrix(layer.gates.data() + direction * R * S * H, R, S * H);
  if (kind_.has_cell_state()) {
    forward.c_n = matrix(layer.c_n.data() + direction * N * H, N, H);
    forward.cells = matrix(layer.cells.data() + direction * R * H, R, H);
  }
  layer.forward.push_back(forward);
  const Weights& d = d_weights_[index * case_.directions + direction];
  layer.backward.push_back({.forward = forward,
                            .d_y = rows_of(layer.d_y).columns_at(direction * H, H),
                            .d_weights = {.w_ih = matrix(d.w_ih, G * H, D),
                                          .w_hh = matrix(d.w_hh, G * H, H),
                                          .b_ih = matrix(d.b_ih, 1, G * H),
                                          .b_hh = matrix(d.b_hh, 1, G * H)}});
}

void RondoLayers::run() {
  if (case_.streaming()) return stream();
  forward();
  if (case_.training()) backward();
}

void RondoLayers::forward() {
  ConstMatrix x = rows_of(x_);
  for (Layer& layer : layers_) {
    layer.x = x;
    backend_->recurrent_forward({.kind = kind_,
                                 .rows = packing_.rows(),
                                 .x = x,
                                 .precision = precision_,
                                 .directions = layer.forward});
    x = rows_of(layer.y);
  }
}

void RondoLayers::backward() {
  backend_->fill(matrix(gradients_.data(), 1, static_cast<int64_t>(gradients_.size())), 0);
  for (size_t i = layers_.size(); i-- > 0;) {
    Layer& layer = layers_[i];
    const Matrix d_x = rows_of(i == 0 ? d_x_ : layers_[i - 1].d_y);
    backend_->fill(d_x, 0);
    backend_->recurrent_backward({.kind = kind_,
                                  .rows = packing_.rows(),
                                  .x = layer.x,
                                  .precision = precision_,
                                  .d_x = d_x,
                                  .directions = layer.backward});
  }
}

// One call a step; a cell state is read from one buffer and written to the other.
void RondoLayers::stream() {
  Layer& layer = layers_.front();
  RecurrentDirection& d = layer.forward.front();
  const int64_t N = case_.batch, H = case_.hidden, D = case_.input;
  d.h0 = {}, d.c0 = {};
  if (kind_.has_cell_state()) d.c_n.data = layer.c_n.data();
  for (int64_t t = 0; t < case_.steps; ++t) {
    float* y = streamed_.data() + t * N * H;
    d.y = matrix(y, N, H);
    backend_->recurrent_forward({.kind = kind_,
                                 .rows = packing_.rows(),
                                 .x = matrix(inputs_.x + t * N * D, N, D),
                                 .precision = precision_,
                                 .directions = layer.forward});
    d.h0 = d.y;
    if (kind_.has_cell_state()) {
      d.c0 = d.c_n;
      d.c_n.data = layer.c_n.data() + (t % 2 == 0 ? N * H : 0);
    }
  }
}

std::vector<float> RondoLayers::to_packed(const float* padded, int64_t columns) const {
  const PackedRows rows = packing_.rows();
  std::vector<float> packed(rows.rows() * columns);
  for (int64_t t = 0; t < rows.steps(); ++t) {
    std::copy_n(padded + t * case_.batch * columns, rows.count(t) * columns,
                packed.data() + rows.offsets[t] * columns);
  }
  return packed;
}

void RondoLayers::append_padded(const std::vector<float>& packed, int64_t columns,
                                std::vector<float>& out) const {
  const PackedRows rows = packing_.rows();
  const size_t begin = out.size();
  out.resize(begin + case_.steps * case_.batch * columns);
  for (int64_t t = 0; t < rows.steps(); ++t) {
    std::copy_n(packed.data() + rows.offsets[t] * columns, rows.count(t) * columns,
                out.data() + begin + t * case_.batch * columns);
  }
}

std::vector<float> RondoLayers::outputs() {
  if (case_.streaming()) return streamed_;
  std::vector<float> out;
  append_padded(layers_.back().y, case_.output(), out);
  if (case_.training()) {
    append_padded(d_x_, case_.input, out);
    out.insert(out.end(), gradients_.begin(), gradients_.end());
  }
  return out;
}

}  // namespace rondo::bench
