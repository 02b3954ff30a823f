// Recurrent stacks against PyTorch: outputs, final states and every gradient, for each cell, one to three
// layers, one and two directions, over ragged lengths with an empty and a one-token sequence.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "../kernels/cases.h"
#include "golden_file.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {
namespace {

// float32 against float64 that was rounded once.
constexpr double kTolerance = 1e-5;

struct GoldenCase {
  const char* name;
  CellKind kind;
  bool projected = false;
};

const GoldenCase kCases[] = {
    {"rnn", {.cell = Cell::kRnn}},   {"rnn_relu", {.cell = Cell::kRnn, .relu = true}},
    {"lstm", {.cell = Cell::kLstm}}, {"lstm_projected", {.cell = Cell::kLstm}, true},
    {"gru", {.cell = Cell::kGru}},
};

void fill_from(Array<float>& array, const Tensor& golden, int64_t first_row = 0) {
  const float* source = golden.data<float>() + first_row * array.columns;
  ASSERT_LE(first_row * array.columns + array.size(), golden.size());
  for (int64_t r = 0; r < array.rows; ++r) {
    for (int64_t c = 0; c < array.columns; ++c) array(r, c) = *source++;
  }
}

void expect_same(const Array<float>& array, const Tensor& golden, const std::string& what,
                 int64_t first_row = 0) {
  ASSERT_LE(first_row * array.columns + array.size(), golden.size()) << what;
  const float* wanted = golden.data<float>() + first_row * array.columns;
  for (int64_t r = 0; r < array.rows; ++r) {
    for (int64_t c = 0; c < array.columns; ++c, ++wanted) {
      const double tolerance = kTolerance * std::max(1.0, std::abs(static_cast<double>(*wanted)));
      ASSERT_NEAR(array(r, c), *wanted, tolerance) << what << " row " << r << " column " << c;
    }
  }
}

/// A stack of layers, each with operands of its own; the outputs of one are the inputs of the next.
class GoldenStack {
 public:
  using Operands = RecurrentOperands<float>;

  GoldenStack(const GoldenCase& cell, int64_t layers, int directions)
      : golden_(read_golden(fmt::format("recurrent_{}_{}x{}", cell.name, layers, directions))),
        directions_(directions) {
    const int64_t H = golden_.find("weight_ih_l0").dim(0) / cell.kind.blocks();
    for (int64_t k = 0; k < layers; ++k) {
      RecurrentCase shape{.kind = cell.kind, .hidden = H, .lengths = golden_lengths(golden_)};
      shape.projection = cell.projected ? golden_.find("h_n").dim(2) : 0;
      shape.input = k == 0 ? golden_.find("x").dim(1) : directions * shape.state();
      shape.directions = directions;
      shape.initial_state = true;
      layers_.push_back(std::make_unique<Operands>(shape, /*seed=*/1));
      for (int d = 0; d < directions; ++d) load(*layers_.back(), k, d);
    }
    fill_from(layers_.front()->x, golden_.find("x"));
    fill_from(layers_.back()->d_y, golden_.find("d_y"));
  }

  void run(Backend& backend) {
    for (size_t k = 0; k < layers_.size(); ++k) {
      if (k > 0) layers_[k]->x = layers_[k - 1]->y;
      backend.recurrent_forward(layers_[k]->forward());
    }
    for (size_t k = layers_.size(); k-- > 0;) {
      if (k + 1 < layers_.size()) layers_[k]->d_y = layers_[k + 1]->d_x;
      backend.recurrent_backward(layers_[k]->backward());
    }
  }

  void check() {
    expect_same(layers_.back()->y, golden_.find("y"), "y");
    expect_same(layers_.front()->d_x, golden_.find("d_x"), "d_x");
    for (size_t k = 0; k < layers_.size(); ++k) {
      for (int d = 0; d < directions_; ++d) check(*layers_[k], static_cast<int64_t>(k), d);
    }
  }

 private:
  static std::string suffix(int64_t layer, int direction) {
    return fmt::format("_l{}{}", layer, direction == 1 ? "_reverse" : "");
  }
  int64_t state_row(const Operands& layer, int64_t k, int d) const {
    return (k * directions_ + d) * layer.packing.sequences();
  }

  /// Calls visit(array, name) for each weight that the cell has, under torch's name.
  template <class Visit>
  static void each_weight(Operands::Weights& w, int64_t k, int d, const Visit& visit) {
    visit(w.w_ih, "weight_ih" + suffix(k, d));
    visit(w.w_hh, "weight_hh" + suffix(k, d));
    visit(w.b_ih, "bias_ih" + suffix(k, d));
    visit(w.b_hh, "bias_hh" + suffix(k, d));
    if (w.w_hr.given()) visit(w.w_hr, "weight_hr" + suffix(k, d));
  }

  void load(Operands& layer, int64_t k, int d) {
    Operands::Direction& direction = layer.directions[d];
    each_weight(direction.weights, k, d,
                [&](Array<float>& array, const std::string& name) { fill_from(array, golden_.find(name)); });
    const int64_t row = state_row(layer, k, d);
    fill_from(direction.h0, golden_.find("h0"), row);
    fill_from(direction.d_h_n, golden_.find("d_h_n"), row);
    if (!layer.shape.kind.has_cell_state()) return;
    fill_from(direction.c0, golden_.find("c0"), row);
    fill_from(direction.d_c_n, golden_.find("d_c_n"), row);
  }

  void check(Operands& layer, int64_t k, int d) {
    Operands::Direction& direction = layer.directions[d];
    each_weight(direction.d_weights, k, d, [&](Array<float>& array, const std::string& name) {
      expect_same(array, golden_.find("d_" + name), "d_" + name);
    });
    const int64_t row = state_row(layer, k, d);
    expect_same(direction.h_n, golden_.find("h_n"), "h_n" + suffix(k, d), row);
    expect_same(direction.d_h0, golden_.find("d_h0"), "d_h0" + suffix(k, d), row);
    if (!layer.shape.kind.has_cell_state()) return;
    expect_same(direction.c_n, golden_.find("c_n"), "c_n" + suffix(k, d), row);
    expect_same(direction.d_c0, golden_.find("d_c0"), "d_c0" + suffix(k, d), row);
  }

  TensorFile golden_;
  int directions_;
  std::vector<std::unique_ptr<Operands>> layers_;
};

void expect_agreement(Backend& backend) {
  for (const GoldenCase& cell : kCases) {
    for (int64_t layers = 1; layers <= 3; ++layers) {
      for (int directions = 1; directions <= 2; ++directions) {
        SCOPED_TRACE(fmt::format("{} layers {} directions {}", cell.name, layers, directions));
        GoldenStack stack(cell, layers, directions);
        stack.run(backend);
        stack.check();
      }
    }
  }
}

TEST(RecurrentGolden, ReferenceBackendAgreesWithPyTorch) { expect_agreement(*make_reference_backend()); }

TEST(RecurrentGolden, CpuBackendAgreesWithPyTorch) {
  for (int threads : {1, 3}) expect_agreement(*make_cpu_backend(threads));
}

}  // namespace
}  // namespace rondo
