// What the recurrent passes do where the answer is known without them: closed forms and equal ways.
#include <gtest/gtest.h>

#include <cmath>

#include "cases.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using Operands = RecurrentOperands<double>;

RecurrentCase make_case(CellKind kind, std::vector<int64_t> lengths, bool initial_state = true) {
  return {.kind = kind, .lengths = std::move(lengths), .initial_state = initial_state};
}

void clear_weights(Operands& o) {
  for (auto& d : o.directions) {
    for (Array<double>* w : d.weights.all()) w->fill(0);
  }
}

/// Adds `value` to a block of H columns of b_ih.
void add_bias(Operands& o, int64_t block, double value) {
  for (int64_t j = 0; j < o.shape.hidden; ++j) {
    o.directions[0].weights.b_ih(0, block * o.shape.hidden + j) += value;
  }
}

template <class T>
void expect_same_bits(const Array<T>& a, const Array<T>& b) {
  ASSERT_EQ(a.rows, b.rows);
  for (int64_t r = 0; r < a.rows; ++r) {
    for (int64_t c = 0; c < a.columns; ++c) ASSERT_EQ(a(r, c), b(r, c)) << "at " << r << ", " << c;
  }
}

class Recurrent : public testing::Test {
 protected:
  void forward(Operands& o) { backend_->recurrent_forward(o.forward()); }
  void backward(Operands& o) { backend_->recurrent_backward(o.backward()); }
  std::unique_ptr<Backend> backend_ = make_reference_backend();
};

// papers.md 7: with all weights zero, c_T = sigmoid(b_f)^T c_0 + terms without c_0.
TEST_F(Recurrent, LstmWithoutWeightsForgetsByThePowerOfItsForgetGate) {
  for (const double bias : {0.0, 1.0}) {
    Operands o(make_case({.cell = Cell::kLstm}, {7}), 1);
    clear_weights(o);
    add_bias(o, 1, bias);
    o.d_y.fill(0);
    o.directions[0].d_h_n.fill(0);
    o.directions[0].d_c_n.fill(1);
    forward(o);
    backward(o);
    const double forget = 1 / (1 + std::exp(-bias));
    for (int64_t j = 0; j < o.shape.hidden; ++j) {
      if (bias == 0) {
        EXPECT_EQ(o.directions[0].d_c0(0, j), std::pow(0.5, 7));
      }
      EXPECT_NEAR(o.directions[0].d_c0(0, j), std::pow(forget, 7), 1e-15);
    }
  }
}

TEST_F(Recurrent, PeepholesOfZeroAreNoPeepholes) {
  for (const bool coupled : {false, true}) {
    Operands without(make_case({.cell = Cell::kLstm, .coupled = coupled}, {3, 0, 5, 1}), 1);
    Operands with(make_case({.cell = Cell::kLstm, .peepholes = true, .coupled = coupled}, {3, 0, 5, 1}), 1);
    with.directions[0].weights.peepholes.fill(0);
    forward(without);
    forward(with);
    backward(without);
    backward(with);
    expect_same_bits(with.y, without.y);
    expect_same_bits(with.directions[0].c_n, without.directions[0].c_n);
    expect_same_bits(with.d_x, without.d_x);
    expect_same_bits(with.directions[0].d_weights.w_hh, without.directions[0].d_weights.w_hh);
  }
}

TEST_F(Recurrent, CoupledLstmThatForgetsNothingKeepsItsCell) {
  Operands o(make_case({.cell = Cell::kLstm, .coupled = true}, {4, 2}), 1);
  add_bias(o, 0, 1000);
  forward(o);
  expect_same_bits(o.directions[0].c_n, o.directions[0].c0);
}

TEST_F(Recurrent, GruThatUpdatesNothingKeepsItsState) {
  for (const bool reset_before : {false, true}) {
    Operands o(make_case({.cell = Cell::kGru, .reset_before = reset_before}, {4, 2}), 1);
    add_bias(o, 1, 1000);
    forward(o);
    expect_same_bits(o.directions[0].h_n, o.directions[0].h0);
    o.d_y.fill(0);
    backward(o);
    expect_same_bits(o.directions[0].d_h0, o.directions[0].d_h_n);
  }
}

TEST_F(Recurrent, GruThatResetsNothingIsTheSameBeforeAndAfter) {
  Operands after(make_case({.cell = Cell::kGru}, {3, 0, 5, 1}), 1);
  Operands before(make_case({.cell = Cell::kGru, .reset_before = true}, {3, 0, 5, 1}), 1);
  add_bias(after, 0, 1000);
  add_bias(before, 0, 1000);
  forward(after);
  forward(before);
  for (int64_t i = 0; i < after.y.size(); ++i) EXPECT_NEAR(after.y.values[i], before.y.values[i], 1e-15);
}

TEST_F(Recurrent, ProjectionByTheIdentityIsNone) {
  RecurrentCase shape = make_case({.cell = Cell::kLstm}, {3, 0, 5, 1});
  Operands plain(shape, 1);
  shape.projection = shape.hidden;
  Operands projected(shape, 1);
  Array<double>& identity = projected.directions[0].weights.w_hr;
  identity.fill(0);
  for (int64_t j = 0; j < shape.hidden; ++j) identity(j, j) = 1;
  forward(plain);
  forward(projected);
  backward(plain);
  backward(projected);
  expect_same_bits(projected.y, plain.y);
  expect_same_bits(projected.d_x, plain.d_x);
  expect_same_bits(projected.directions[0].d_c0, plain.directions[0].d_c0);
}

/// Row t of each sequence takes the place of its row length-1-t.
Array<double> reversed(const Array<double>& x, const Packing& packing) {
  Array<double> y = x;
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    for (int64_t t = 0; t < packing.length(n); ++t) {
      const int64_t to = packing.rows().row(t, n), from = packing.rows().row(packing.length(n) - 1 - t, n);
      for (int64_t c = 0; c < x.columns; ++c) y(to, c) = x(from, c);
    }
  }
  return y;
}

TEST_F(Recurrent, ReverseIsForwardOverReversedSequences) {
  for (const CellCase& cell : cell_cases()) {
    SCOPED_TRACE(cell.name);
    RecurrentCase shape = make_case(cell.kind, {3, 0, 5, 1, 5});
    shape.projection = cell.projected ? 2 : 0;
    Operands a(shape, 1);
    shape.reverse = true;
    Operands b(shape, 1);
    b.x = reversed(a.x, a.packing);
    b.d_y = reversed(a.d_y, a.packing);
    forward(a);
    forward(b);
    backward(a);
    backward(b);
    expect_same_bits(reversed(b.y, a.packing), a.y);
    expect_same_bits(b.directions[0].h_n, a.directions[0].h_n);
    expect_same_bits(reversed(b.d_x, a.packing), a.d_x);
    expect_same_bits(b.directions[0].d_h0, a.directions[0].d_h0);
  }
}

/// Sequence n of `batch` as a batch of its own.
Operands alone(const Operands& batch, int64_t n) {
  RecurrentCase shape = batch.shape;
  shape.lengths = {batch.packing.length(n)};
  Operands one(shape, 1);
  auto copy_row = [](const Array<double>& from, int64_t row, Array<double>& to, int64_t at) {
    for (int64_t c = 0; from.given() && c < from.columns; ++c) to(at, c) = from(row, c);
  };
  for (int64_t t = 0; t < shape.lengths[0]; ++t) copy_row(batch.x, batch.packing.rows().row(t, n), one.x, t);
  for (size_t d = 0; d < one.directions.size(); ++d) {
    one.directions[d].weights = batch.directions[d].weights;
    copy_row(batch.directions[d].h0, n, one.directions[d].h0, 0);
    copy_row(batch.directions[d].c0, n, one.directions[d].c0, 0);
    copy_row(batch.directions[d].state_mask, n, one.directions[d].state_mask, 0);
  }
  return one;
}

TEST_F(Recurrent, BatchIsItsSequencesAloneBitForBit) {
  for (const RecurrentCase& shape : recurrent_cases()) {
    SCOPED_TRACE(shape.name);
    Operands batch(shape, 2);
    forward(batch);
    for (int64_t n = 0; n < batch.packing.sequences(); ++n) {
      Operands one = alone(batch, n);
      forward(one);
      for (int64_t t = 0; t < batch.packing.length(n); ++t) {
        for (int64_t c = 0; c < batch.y.columns; ++c) {
          ASSERT_EQ(one.y(t, c), batch.y(batch.packing.rows().row(t, n), c));
        }
      }
      for (int64_t c = 0; c < shape.state(); ++c) {
        ASSERT_EQ(one.directions[0].h_n(0, c), batch.directions[0].h_n(n, c));
      }
    }
  }
}

TEST_F(Recurrent, EmptySequenceKeepsItsState) {
  for (const RecurrentCase& shape : recurrent_cases()) {
    SCOPED_TRACE(shape.name);
    Operands o(shape, 2);
    for (auto& d : o.directions) d.h_n.fill(9);
    forward(o);
    backward(o);
    for (int64_t n = 0; n < o.packing.sequences(); ++n) {
      if (o.packing.length(n) > 0) continue;
      for (const auto& d : o.directions) {
        for (int64_t c = 0; c < shape.state(); ++c) {
          ASSERT_EQ(d.h_n(n, c), shape.initial_state ? d.h0(n, c) : 0);
          ASSERT_EQ(d.d_h0(n, c), d.d_h_n(n, c));
        }
        for (int64_t c = 0; shape.kind.has_cell_state() && c < shape.hidden; ++c) {
          ASSERT_EQ(d.c_n(n, c), shape.initial_state ? d.c0(n, c) : 0);
          ASSERT_EQ(d.d_c0(n, c), d.d_c_n(n, c));
        }
      }
    }
  }
}

/// The norm of one row.
double norm(const Array<double>& a, int64_t row) {
  double sum = 0;
  for (int64_t c = 0; c < a.columns; ++c) sum += a(row, c) * a(row, c);
  return std::sqrt(sum);
}

/// A relu network whose units are all at work, so that it is linear: h_t = U h_{t-1} + 1.
Operands linear_network(const std::vector<int64_t>& lengths) {
  Operands o(make_case({.cell = Cell::kRnn, .relu = true}, lengths, false), 1);
  clear_weights(o);
  add_bias(o, 0, 1);
  o.d_y.fill(0);
  return o;
}

TEST_F(Recurrent, OrthogonalLinearNetworkKeepsTheNormOfTheGradient) {
  Operands o = linear_network({30});
  // I - 2vv^T/(v.v) with v = (1, -2, 4, -3): its entries sum to zero, so U maps ones to ones and h stays
  // above 0.
  const double v[] = {1, -2, 4, -3};
  for (int64_t i = 0; i < 4; ++i) {
    for (int64_t j = 0; j < 4; ++j) {
      o.directions[0].weights.w_hh(i, j) = (i == j ? 1 : 0) - 2 * v[i] * v[j] / 30;
    }
  }
  forward(o);
  backward(o);
  const double last = norm(o.directions[0].d_states, 29);
  for (int64_t t = 0; t < 30; ++t) EXPECT_NEAR(norm(o.directions[0].d_states, t) / last, 1, 1e-14);
}

TEST_F(Recurrent, PermutationKeepsTheGradientExactly) {
  Operands o = linear_network({31});
  for (int64_t i = 0; i < 4; ++i) o.directions[0].weights.w_hh(i, (i + 1) % 4) = 1;
  forward(o);
  backward(o);
  for (int64_t t = 2; t < 31; t += 4) {  // four steps turn the cycle once
    for (int64_t j = 0; j < 4; ++j) {
      EXPECT_EQ(o.directions[0].d_states(t, j), o.directions[0].d_states(30, j));
    }
  }
}

TEST_F(Recurrent, ScaledIdentityFadesByThePowerOfItsScale) {
  constexpr double kRho = 0.75;
  Operands o = linear_network({20});
  for (int64_t i = 0; i < 4; ++i) o.directions[0].weights.w_hh(i, i) = kRho;
  forward(o);
  backward(o);
  for (int64_t k = 0; k < 20; ++k) {
    for (int64_t j = 0; j < 4; ++j) {
      const double last = o.directions[0].d_states(19, j);
      EXPECT_NEAR(o.directions[0].d_states(19 - k, j) / last, std::pow(kRho, k), 1e-15);
    }
  }
}

TEST_F(Recurrent, FloatAndComplexAgreeWithDouble) {
  for (const RecurrentCase& shape : recurrent_cases()) {
    SCOPED_TRACE(shape.name);
    Operands want(shape, 4, 2);
    RecurrentOperands<float> single(shape, 4, 2);
    RecurrentOperands<std::complex<double>> complex(shape, 4, 2);
    forward(want);
    backward(want);
    backend_->recurrent_forward(single.forward());
    backend_->recurrent_backward(single.backward());
    backend_->recurrent_forward(complex.forward());
    backend_->recurrent_backward(complex.backward());
    for (int64_t r = 0; r < want.y.rows; ++r) {
      for (int64_t c = 0; c < want.y.columns; ++c) {
        ASSERT_NEAR(single.y(r, c), want.y(r, c), 1e-5);  // a few roundings of 6e-8 on values of about 1
        ASSERT_NEAR(complex.y(r, c).real(), want.y(r, c), 1e-13);
      }
      for (int64_t c = 0; c < want.d_x.columns; ++c) {
        ASSERT_NEAR(single.d_x(r, c), want.d_x(r, c), 1e-4);
        ASSERT_NEAR(complex.d_x(r, c).real(), want.d_x(r, c), 1e-12);
      }
    }
    ASSERT_TRUE(want.y.padding_untouched() && want.d_x.padding_untouched());
  }
}

TEST_F(Recurrent, MismatchNamesKernelWantedAndGot) {
  Operands o(make_case({.cell = Cell::kLstm}, {2}), 1);
  o.directions[0].weights.w_hh = Array<double>(16, 5);
  try {
    forward(o);
    FAIL() << "no exception";
  } catch (const ShapeError& e) {
    EXPECT_STREQ(e.what(), "recurrent_forward: w_hh must be [16, 4] float64, got [16, 5] float64");
  }
}

TEST_F(Recurrent, MixedTypesAreRefused) {
  Operands o(make_case({.cell = Cell::kGru}, {2}), 1);
  RecurrentForward pass = o.forward();
  Array<float> x(2, 3);
  pass.x = x;
  EXPECT_THROW(backend_->recurrent_forward(pass), ShapeError);
}

TEST_F(Recurrent, PeepholesForACellWithoutThemAreRefused) {
  Operands o(make_case({.cell = Cell::kLstm}, {2}), 1);
  o.directions[0].weights.peepholes = Array<double>(3, 4);
  EXPECT_THROW(forward(o), ShapeError);
}

TEST_F(Recurrent, PackedRowsThatGrowAreRefused) {
  Operands o(make_case({.cell = Cell::kGru}, {2, 1}), 1);
  RecurrentForward pass = o.forward();
  const int64_t offsets[] = {0, 1, 3};
  pass.rows = {offsets, 2};
  EXPECT_THROW(backend_->recurrent_forward(pass), ShapeError);
}

}  // namespace
}  // namespace rondo
