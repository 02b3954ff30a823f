// The backward pass of every cell and option against the complex step through the forward pass: every element
// of every input and weight.
#include <gtest/gtest.h>

#include "gradients.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {
namespace {

/// A fixed random weighting of all outputs: y, h_n, c_n.
Complex loss(Backend& backend, RecurrentOperands<Complex>& o, const RecurrentOperands<double>& weights) {
  backend.recurrent_forward(o.forward());
  Complex sum = weighted_sum(o.y, weights.d_y);
  for (size_t d = 0; d < o.directions.size(); ++d) {
    sum += weighted_sum(o.directions[d].h_n, weights.directions[d].d_h_n);
    if (o.shape.kind.has_cell_state()) {
      sum += weighted_sum(o.directions[d].c_n, weights.directions[d].d_c_n);
    }
  }
  return sum;
}

void expect_gradients(Backend& backend, const RecurrentCase& shape) {
  SCOPED_TRACE(shape.name);
  RecurrentOperands<double> real(shape, 7);
  RecurrentOperands<Complex> complex(shape, 7);
  backend.recurrent_forward(real.forward());
  backend.recurrent_backward(real.backward());
  auto run = [&] { return loss(backend, complex, real); };
  expect_gradient("x", complex.x, real.d_x, run);
  for (size_t d = 0; d < complex.directions.size(); ++d) {
    auto inputs = complex.directions[d].weights.all();
    auto gradients = real.directions[d].d_weights.all();
    for (size_t w = 0; w < inputs.size(); ++w) {
      expect_gradient("weight " + std::to_string(w), *inputs[w], *gradients[w], run);
    }
    expect_gradient("h0", complex.directions[d].h0, real.directions[d].d_h0, run);
    expect_gradient("c0", complex.directions[d].c0, real.directions[d].d_c0, run);
  }
}

class RecurrentGradient : public testing::TestWithParam<CellCase> {};

TEST_P(RecurrentGradient, IsTheComplexStep) {
  const auto backend = make_reference_backend();
  const std::string prefix = std::string(GetParam().name) + "_";
  for (const RecurrentCase& shape : recurrent_cases()) {
    const bool same = shape.kind == GetParam().kind && (shape.projection > 0) == GetParam().projected;
    if (same) expect_gradients(*backend, shape);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RecurrentGradient, testing::ValuesIn(cell_cases()),
                         [](const auto& cell) { return std::string(cell.param.name); });

TEST(RecurrentGradients, AreAddedToWhatStands) {
  const auto backend = make_reference_backend();
  for (const RecurrentCase& shape : recurrent_cases()) {
    SCOPED_TRACE(shape.name);
    RecurrentOperands<double> plain(shape, 3), added(shape, 3);
    backend->recurrent_forward(plain.forward());
    backend->recurrent_forward(added.forward());
    added.d_x.fill(1);
    for (auto& d : added.directions) {
      for (Array<double>* g : d.d_weights.all()) g->fill(1);
      d.d_h0.fill(1);
    }
    backend->recurrent_backward(plain.backward());
    backend->recurrent_backward(added.backward());
    for (int64_t r = 0; r < plain.d_x.rows; ++r) {
      for (int64_t c = 0; c < plain.d_x.columns; ++c)
        ASSERT_NEAR(added.d_x(r, c), plain.d_x(r, c) + 1, 1e-11);
    }
    for (size_t d = 0; d < plain.directions.size(); ++d) {
      auto want = plain.directions[d].d_weights.all(), got = added.directions[d].d_weights.all();
      want.push_back(&plain.directions[d].d_h0);
      got.push_back(&added.directions[d].d_h0);
      for (size_t w = 0; w < want.size(); ++w) {
        for (int64_t i = 0; i < want[w]->size(); ++i) {
          ASSERT_NEAR(got[w]->values[i], want[w]->values[i] + 1, 1e-11);
        }
      }
    }
  }
}

TEST(RecurrentGradients, OfStatesAreWholeAtEveryRow) {
  const auto backend = make_reference_backend();
  for (const char* wanted :
       {"rnn_ragged_both_initial", "lstm_ragged_both_initial", "gru_ragged_both_initial"}) {
    for (const RecurrentCase& shape : recurrent_cases()) {
      if (shape.name != wanted) continue;
      SCOPED_TRACE(shape.name);
      RecurrentOperands<double> o(shape, 5);
      backend->recurrent_forward(o.forward());
      const RecurrentOperands<double> kept = o;
      backend->recurrent_backward(o.backward());
      for (size_t d = 0; d < o.directions.size(); ++d) {
        const auto& before = kept.directions[d];
        const auto& after = o.directions[d];
        const PackedRows rows = o.packing.rows();
        for (int64_t n = 0; n < rows.count(0); ++n) {
          // The first row of the recurrence, next to the initial state.
          const int64_t row = rows.row(after.reverse ? o.packing.length(n) - 1 : 0, n);
          for (int64_t j = 0; j < shape.hidden; ++j) {
            const double state = after.d_states(row, j);
            if (shape.kind.cell == Cell::kLstm) {  // d_c0 = d_c' * f
              EXPECT_NEAR(after.d_c0(n, j), state * before.gates(row, shape.hidden + j), 1e-14);
            } else if (shape.kind.cell == Cell::kRnn) {  // d_a = d_h' * (1 - h'^2)
              const double h = before.gates(row, j);
              EXPECT_NEAR(after.gates(row, j), state * (1 - h * h), 1e-14);
            } else {  // d_a_n = d_h' * (1-z) * (1 - n^2)
              const double z = before.gates(row, shape.hidden + j),
                           c = before.gates(row, 2 * shape.hidden + j);
              EXPECT_NEAR(after.gates(row, 2 * shape.hidden + j), state * (1 - z) * (1 - c * c), 1e-14);
            }
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace rondo
