// The one table of cases that every kernel of every backend is held against, and the operands for them.
// A case is a shape and its options; its operands are drawn from one seed and have the same values (floats)
// in every scalar type, so float against double against complex<double> compares like with like.
//   for (const RecurrentCase& shape : recurrent_cases()) {
//     RecurrentOperands<float> operands(shape, /*seed=*/1);  backend->recurrent_forward(operands.forward());
//     backend->recurrent_backward(operands.backward());      // operands.directions[0].d_weights.w_ih ...
//   }
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernels/backend.h"
#include "tensor/packing.h"

namespace rondo {

/// A matrix that owns its scalars. Default-constructed it is "not given"; with a shape it has an address even
/// if it is empty. Columns between `columns` and `stride` hold kPadding: padding_untouched() tells whether a
/// kernel wrote there.
template <class T>
struct Array {
  static constexpr float kPadding = 77.0F;

  std::vector<T> values;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;

  Array() = default;
  Array(int64_t rows_, int64_t columns_, int64_t padding = 0)
      : values(rows_ * (columns_ + padding) + 1, T(kPadding)),
        rows(rows_),
        columns(columns_),
        stride(columns_ + padding) {
    fill(T(0));
  }

  T& operator()(int64_t r, int64_t c) { return values[r * stride + c]; }
  const T& operator()(int64_t r, int64_t c) const { return values[r * stride + c]; }
  bool given() const { return !values.empty(); }
  int64_t size() const { return rows * columns; }

  void fill(T value) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) (*this)(r, c) = value;
    }
  }
  bool padding_untouched() const {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = columns; c < stride; ++c) {
        if ((*this)(r, c) != T(kPadding)) return false;
      }
    }
    return !given() || values.back() == T(kPadding);
  }

  Matrix matrix() { return given() ? Matrix{values.data(), kTypeOf<T>, rows, columns, stride} : Matrix{}; }
  ConstMatrix matrix() const {
    return given() ? ConstMatrix{values.data(), kTypeOf<T>, rows, columns, stride} : ConstMatrix{};
  }
  operator Matrix() { return matrix(); }             // NOLINT: an array stands wherever a view does
  operator ConstMatrix() const { return matrix(); }  // NOLINT
};

/// scale * N(0, 1), rounded to float: the same values in every scalar type.
template <class T>
Array<T> random_array(const Stream& stream, int64_t rows, int64_t columns, float scale = 1,
                      int64_t padding = 0) {
  Array<T> array(rows, columns, padding);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) array(r, c) = T(scale * stream.normal(r * columns + c));
  }
  return array;
}

/// 0 with probability 1/5, else 1.25: a dropout mask whose values are exact in float.
template <class T>
Array<T> random_mask(const Stream& stream, int64_t rows, int64_t columns) {
  Array<T> array(rows, columns);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      array(r, c) = T(stream.uniform(r * columns + c) < 0.2F ? 0.0F : 1.25F);
    }
  }
  return array;
}

/// Lengths of a batch's sequences, by name.
struct LengthsCase {
  const char* name;
  std::vector<int64_t> lengths;  ///< in the caller's order, not sorted
};

inline const std::vector<LengthsCase>& lengths_cases() {
  static const std::vector<LengthsCase> cases = {
      {"ragged", {3, 0, 5, 1}},  // the longest, an empty and a one-token sequence
      {"equal", {4, 4, 4}},
      {"single", {6}},
      {"empty", {0, 0}},
  };
  return cases;
}

/// One recurrent pass.
struct RecurrentCase {
  std::string name = {};
  CellKind kind = {};
  int64_t input = 3;       ///< D
  int64_t hidden = 4;      ///< H
  int64_t projection = 0;  ///< P, or 0: none
  std::vector<int64_t> lengths = {3, 0, 5, 1};
  int directions = 1;          ///< 2: forward and reverse side by side in y
  bool reverse = false;        ///< with one direction: the reverse one
  bool initial_state = false;  ///< h0 and c0 given
  bool state_mask = false;

  int64_t state() const { return projection > 0 ? projection : hidden; }
};

inline std::ostream& operator<<(std::ostream& out, const RecurrentCase& shape) { return out << shape.name; }

struct CellCase {
  const char* name;
  CellKind kind;
  bool projected = false;
};

inline const std::vector<CellCase>& cell_cases() {
  static const std::vector<CellCase> cases = {
      {"rnn", {.cell = Cell::kRnn}},
      {"rnn_relu", {.cell = Cell::kRnn, .relu = true}},
      {"rnn_linear", {.cell = Cell::kRnn, .linear = true}},
      {"lstm", {.cell = Cell::kLstm}},
      {"lstm_peepholes", {.cell = Cell::kLstm, .peepholes = true}},
      {"lstm_coupled", {.cell = Cell::kLstm, .coupled = true}},
      {"lstm_projected", {.cell = Cell::kLstm}, true},
      {"lstm_outside", {.cell = Cell::kLstm, .tanh_outside = true}},
      {"lstm_coupled_outside", {.cell = Cell::kLstm, .coupled = true, .tanh_outside = true}},
      {"lstm_peepholes_outside_projected",
       {.cell = Cell::kLstm, .peepholes = true, .tanh_outside = true},
       true},
      {"lstm_peepholes_coupled_projected", {.cell = Cell::kLstm, .peepholes = true, .coupled = true}, true},
      {"lstm_no_input_gate", {.cell = Cell::kLstm, .peepholes = true, .without = Ablation::kInputGate}},
      {"lstm_no_forget_gate", {.cell = Cell::kLstm, .peepholes = true, .without = Ablation::kForgetGate}},
      {"lstm_no_output_gate",
       {.cell = Cell::kLstm, .peepholes = true, .without = Ablation::kOutputGate},
       true},
      {"lstm_no_input_tanh", {.cell = Cell::kLstm, .without = Ablation::kInputTanh}},
      {"lstm_no_output_tanh", {.cell = Cell::kLstm, .without = Ablation::kOutputTanh}, true},
      {"lstm_no_output_tanh_alone", {.cell = Cell::kLstm, .without = Ablation::kOutputTanh}},
      {"lstm_coupled_no_output_gate",
       {.cell = Cell::kLstm, .coupled = true, .without = Ablation::kOutputGate}},
      {"lstm_coupled_no_output_tanh",
       {.cell = Cell::kLstm, .peepholes = true, .coupled = true, .without = Ablation::kOutputTanh}},
      {"gru", {.cell = Cell::kGru}},
      {"gru_reset_before", {.cell = Cell::kGru, .reset_before = true}},
      {"gru_coupled", {.cell = Cell::kGru, .coupled = true}},
      {"gru_coupled_reset_before", {.cell = Cell::kGru, .reset_before = true, .coupled = true}},
  };
  return cases;
}

/// Every cell at one shape: cells x lengths x directions (one, reverse, two) x initial state x state mask.
inline std::vector<RecurrentCase> recurrent_cases(int64_t input = 3, int64_t hidden = 4,
                                                  int64_t projection = 2) {
  std::vector<RecurrentCase> cases;
  for (const CellCase& cell : cell_cases()) {
    for (const LengthsCase& lengths : lengths_cases()) {
      for (const char* direction : {"forward", "reverse", "both"}) {
        for (int option = 0; option < 4; ++option) {
          RecurrentCase shape{
              .kind = cell.kind, .input = input, .hidden = hidden, .lengths = lengths.lengths};
          shape.projection = cell.projected ? projection : 0;
          shape.directions = direction == std::string("both") ? 2 : 1;
          shape.reverse = direction == std::string("reverse");
          shape.initial_state = (option & 1) != 0;
          shape.state_mask = (option & 2) != 0;
          shape.name = std::string(cell.name) + "_" + lengths.name + "_" + direction +
                       (shape.initial_state ? "_initial" : "") + (shape.state_mask ? "_masked" : "");
          cases.push_back(shape);
        }
      }
    }
  }
  return cases;
}

/// Sizes around the widths of vectors and tiles, too large for a gradient check of every element.
inline std::vector<RecurrentCase> wide_recurrent_cases() {
  std::vector<RecurrentCase> cases;
  for (const CellCase& cell : cell_cases()) {
    for (const auto& [input, hidden] : {std::pair{1, 1}, {7, 17}, {33, 31}, {64, 65}, {130, 128}}) {
      RecurrentCase shape{.kind = cell.kind, .input = input, .hidden = hidden};
      shape.projection = cell.projected ? hidden / 2 + 1 : 0;
      shape.lengths = {9, 2, 0, 11, 5, 5, 1, 3, 7, 7, 7, 8, 10, 11, 4, 6, 2, 1, 9};
      shape.directions = 2;
      shape.initial_state = shape.state_mask = true;
      shape.name = std::string(cell.name) + "_D" + std::to_string(input) + "_H" + std::to_string(hidden);
      cases.push_back(shape);
    }
  }
  return cases;
}

/// Everything that the two passes of a case read and write. Inputs and the gradients that arrive (d_y, d_h_n,
/// d_c_n) are random; outputs start at zero, and so do the gradients that are added to.
template <class T>
struct RecurrentOperands {
  struct Weights {
    Array<T> w_ih = {}, w_hh = {}, b_ih = {}, b_hh = {}, w_hr = {}, peepholes = {};

    std::vector<Array<T>*> all() { return {&w_ih, &w_hh, &b_ih, &b_hh, &w_hr, &peepholes}; }
  };
  struct Direction {
    bool reverse = false;
    Weights weights, d_weights;
    Array<T> h0, c0, state_mask, h_n, c_n, gates, cells;
    Array<T> d_h_n, d_c_n, d_h0, d_c0, d_states;
  };

  RecurrentCase shape;
  Packing packing;
  Array<T> x, y, d_x, d_y;  ///< y and d_y: [R, directions * P]
  std::vector<Direction> directions;
  Precision precision = Precision::kFloat32;
  std::vector<int32_t> x_rows;  ///< with them x and d_x hold the distinct rows

  /// @param padding  unused columns after each row of x, y, d_x and d_y.
  RecurrentOperands(const RecurrentCase& shape_, uint64_t seed, int64_t padding = 0)
      : shape(shape_), packing(shape_.lengths) {
    const Stream stream(seed, {0x72656375});
    const int64_t R = packing.num_rows(), P = shape.state();
    x = random_array<T>(stream.sub(0), R, shape.input, 1, padding);
    d_y = random_array<T>(stream.sub(1), R, shape.directions * P, 1, padding);
    y = Array<T>(R, shape.directions * P, padding);
    d_x = Array<T>(R, shape.input, padding);
    for (int d = 0; d < shape.directions; ++d) directions.push_back(make_direction(d, stream.sub(2 + d)));
  }

  /// The pass over these operands, valid while they live and are not moved.
  RecurrentForward forward() {
    forward_.clear();
    for (size_t d = 0; d < directions.size(); ++d) forward_.push_back(forward_direction(d));
    return {.kind = shape.kind,
            .rows = packing.rows(),
            .x = x,
            .x_rows = x_rows,
            .precision = precision,
            .directions = forward_};
  }
  /// Rows of x that repeat: x becomes [distinct, D], and row r takes its row r*7 % distinct.
  void repeat_rows(int64_t distinct) {
    x = random_array<T>(Stream(9, {0x726F7773}), distinct, shape.input);
    d_x = Array<T>(distinct, shape.input);
    for (int64_t r = 0; r < packing.num_rows(); ++r) x_rows.push_back(static_cast<int32_t>(r * 7 % distinct));
  }
  /// Run forward() first. Adds to d_x, d_weights, d_h0, d_c0.
  RecurrentBackward backward() {
    backward_.clear();
    for (size_t d = 0; d < directions.size(); ++d) {
      Direction& direction = directions[d];
      Weights& g = direction.d_weights;
      backward_.push_back({.forward = forward_direction(d),
                           .d_y = d_y.matrix().columns_at(d * shape.state(), shape.state()),
                           .d_h_n = direction.d_h_n,
                           .d_c_n = direction.d_c_n,
                           .d_weights = {g.w_ih, g.w_hh, g.b_ih, g.b_hh, g.w_hr, g.peepholes},
                           .d_h0 = direction.d_h0,
                           .d_c0 = direction.d_c0,
                           .d_states = direction.d_states});
    }
    return {.kind = shape.kind,
            .rows = packing.rows(),
            .x = x,
            .x_rows = x_rows,
            .precision = precision,
            .d_x = d_x,
            .directions = backward_};
  }

 private:
  std::vector<RecurrentDirection> forward_;
  std::vector<RecurrentDirectionBackward> backward_;

  RecurrentDirection forward_direction(size_t d) {
    Direction& direction = directions[d];
    const Weights& w = direction.weights;
    return {.weights = {w.w_ih, w.w_hh, w.b_ih, w.b_hh, w.w_hr, w.peepholes},
            .reverse = direction.reverse,
            .h0 = direction.h0,
            .c0 = direction.c0,
            .state_mask = direction.state_mask,
            .y = y.matrix().columns_at(d * shape.state(), shape.state()),
            .h_n = direction.h_n,
            .c_n = direction.c_n,
            .gates = direction.gates,
            .cells = direction.cells};
  }

  Weights make_weights(const Stream* stream) const {
    const int64_t D = shape.input, H = shape.hidden, P = shape.state(), G = shape.kind.blocks();
    uint64_t next = 0;
    auto draw = [&](int64_t rows, int64_t columns) {
      return stream ? random_array<T>(stream->sub(next++), rows, columns, 0.5F) : Array<T>(rows, columns);
    };
    Weights w{.w_ih = draw(G * H, D), .w_hh = draw(G * H, P), .b_ih = draw(1, G * H), .b_hh = draw(1, G * H)};
    if (shape.projection > 0) w.w_hr = draw(P, H);
    if (shape.kind.peepholes) w.peepholes = draw(shape.kind.peephole_rows(), H);
    return w;
  }

  Direction make_direction(int number, const Stream& stream) const {
    const int64_t R = packing.num_rows(), N = packing.sequences(), H = shape.hidden, P = shape.state();
    const bool cell_state = shape.kind.has_cell_state();
    Direction d;
    d.reverse = shape.reverse || number == 1;
    const Stream weights = stream.sub(0);
    d.weights = make_weights(&weights);
    d.d_weights = make_weights(nullptr);
    if (shape.initial_state) d.h0 = random_array<T>(stream.sub(1), N, P, 0.5F);
    if (shape.initial_state && cell_state) d.c0 = random_array<T>(stream.sub(2), N, H);
    if (shape.state_mask) d.state_mask = random_mask<T>(stream.sub(3), N, P);
    d.h_n = Array<T>(N, P);
    d.gates = Array<T>(R, shape.kind.saved_blocks() * H);
    d.d_h_n = random_array<T>(stream.sub(4), N, P);
    d.d_h0 = Array<T>(N, P);
    d.d_states = Array<T>(R, cell_state ? H : P);
    if (cell_state) {
      d.c_n = Array<T>(N, H);
      d.cells = Array<T>(R, H);
      d.d_c_n = random_array<T>(stream.sub(5), N, H);
      d.d_c0 = Array<T>(N, H);
    }
    return d;
  }
};

/// One product; b, c get `padding` unused columns.
struct ProductCase {
  int64_t m = 1, n = 1, k = 1;
  bool transpose_a = false, transpose_b = false;
  bool bias = false, accumulate = false;
  int64_t padding = 0;
};

inline std::ostream& operator<<(std::ostream& out, const ProductCase& c) {
  return out << "m" << c.m << "_n" << c.n << "_k" << c.k << (c.transpose_a ? "_ta" : "")
             << (c.transpose_b ? "_tb" : "") << (c.bias ? "_bias" : "") << (c.accumulate ? "_accumulate" : "")
             << (c.padding > 0 ? "_padded" : "");
}

inline std::vector<ProductCase> product_cases(
    const std::vector<std::array<int64_t, 3>>& sizes = {
        {1, 1, 1}, {2, 3, 4}, {1, 5, 3}, {5, 1, 2}, {0, 3, 2}, {3, 0, 2}, {3, 2, 0}}) {
  std::vector<ProductCase> cases;
  for (const auto& [m, n, k] : sizes) {
    for (int option = 0; option < 12; ++option) {
      const int start = option / 4;  // zero, bias, accumulate
      cases.push_back({m, n, k, (option & 1) != 0, (option & 2) != 0, start == 1, start == 2, option % 3});
    }
  }
  return cases;
}

/// Sizes around the widths of vectors and tiles.
inline std::vector<ProductCase> wide_product_cases() {
  return product_cases(
      {{1, 64, 64}, {7, 17, 33}, {31, 15, 5}, {6, 16, 128}, {13, 130, 65}, {64, 257, 100}, {100, 48, 300}});
}

template <class T>
struct ProductOperands {
  ProductCase shape;
  Array<T> a, b, c, bias;

  ProductOperands(const ProductCase& shape_, uint64_t seed) : shape(shape_) {
    const Stream stream(seed, {0x70726f64});
    const auto& [m, n, k, transpose_a, transpose_b, with_bias, accumulate, padding] = shape;
    a = random_array<T>(stream.sub(0), transpose_a ? k : m, transpose_a ? m : k);
    b = random_array<T>(stream.sub(1), transpose_b ? n : k, transpose_b ? k : n, 1, padding);
    c = accumulate ? random_array<T>(stream.sub(2), m, n, 1, padding) : Array<T>(m, n, padding);
    if (with_bias) bias = random_array<T>(stream.sub(3), 1, n);
  }
  Product product() {
    return {.a = a,
            .b = b,
            .c = c,
            .bias = bias,
            .transpose_a = shape.transpose_a,
            .transpose_b = shape.transpose_b,
            .accumulate = shape.accumulate};
  }
};

}  // namespace rondo
