#include <utility>

#include "kernels/cpu/cells.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cells_backward.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/activation-inl.h"
#include "kernels/cpu/spot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

struct BackwardSpot : Spot<CellBackward> {
  /// The whole gradient of h'.
  HWY_INLINE Vector d_h() const {
    const Vector later = read(cell.d_h.at, cell.d_h.row);
    return cell.d_y.at == nullptr ? later : hn::Add(read(cell.d_y.at, cell.d_y.row), later);
  }
};

/// d * s*(1-s), the gradient before a sigmoid.
HWY_INLINE Vector before_sigmoid(Vector d, Vector s) { return hn::Mul(d, hn::NegMulAdd(s, s, s)); }
/// d * (1-t*t), the gradient before a tanh.
HWY_INLINE Vector before_tanh(Vector d, Vector t) { return hn::Mul(d, hn::NegMulAdd(t, t, set(1.0F))); }

struct RnnTanhGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const Vector d_h = s.d_h();
    s.write(s.cell.d_states, d_h);
    s.write_gate(0, before_tanh(d_h, s.read_gate(0)));
  }
};

struct RnnReluGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const Vector d_h = s.d_h();
    s.write(s.cell.d_states, d_h);
    s.write_gate(0, hn::IfThenElseZero(hn::Gt(s.read_gate(0), zero()), d_h));
  }
};

struct RnnLinearGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const Vector d_h = s.d_h();
    s.write(s.cell.d_states, d_h);
    s.write_gate(0, d_h);
  }
};

/// What the output of a cell leaves: the gradients of o's pre-activation and of c'.
struct LstmOutputGradient {
  Vector d_o, d_c;
};

/// @param squashed  tanh(c'); tanh(o*c') with the tanh outside; c' without a tanh.
template <LstmForm kForm>
HWY_INLINE LstmOutputGradient lstm_output_gradient(const BackwardSpot& s, Vector d_h, Vector o, Vector c_new,
                                                   Vector squashed) {
  if (s.lacks<kForm>(Ablation::kOutputTanh)) {
    return {before_sigmoid(hn::Mul(d_h, c_new), o), hn::Mul(d_h, o)};
  } else if (kForm.style == LstmForm::kOutside) {
    const Vector d_product = before_tanh(d_h, squashed);  // of o*c'
    return {before_sigmoid(hn::Mul(d_product, c_new), o), hn::Mul(d_product, o)};
  } else {
    return {before_sigmoid(hn::Mul(d_h, squashed), o), before_tanh(hn::Mul(d_h, o), squashed)};
  }
}

template <LstmForm kForm>
struct LstmGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const LstmBlocks at = s.blocks<kForm>();
    const Vector f = s.read_gate_or_one(at.f);
    const Vector i = kForm.coupled ? hn::Sub(set(1.0F), f) : s.read_gate_or_one(at.i);
    const Vector g = s.read_gate(at.g);
    const Vector o = s.read_gate_or_one(at.o);
    const Vector c = s.read(s.cell.c_before.at, s.cell.c_before.row);
    const Vector c_new = s.read(s.cell.cells.at, s.cell.cells.row);
    constexpr bool kOutside = kForm.style == LstmForm::kOutside;
    const bool straight = s.lacks<kForm>(Ablation::kOutputTanh);
    const Vector squashed = straight ? c_new : tanh(kOutside ? hn::Mul(o, c_new) : c_new);
    const LstmOutputGradient output = lstm_output_gradient<kForm>(s, s.d_h(), o, c_new, squashed);
    Vector d_c = hn::Add(s.read(s.cell.d_c.at, s.cell.d_c.row), output.d_c);
    d_c = s.peep(2, output.d_o, d_c);
    s.write(s.cell.d_states, d_c);
    s.write(s.cell.output, kOutside ? squashed : hn::Mul(o, squashed));
    Vector d_before = hn::Mul(d_c, f);
    if (at.f >= 0) {
      const Vector d_f = before_sigmoid(hn::Mul(d_c, kForm.coupled ? hn::Sub(c, g) : c), f);
      d_before = s.peep(1, d_f, d_before);
      s.write_gate(at.f, d_f);
    }
    if (at.i >= 0) {
      const Vector d_i = before_sigmoid(hn::Mul(d_c, g), i);
      d_before = s.peep(0, d_i, d_before);
      s.write_gate(at.i, d_i);
    }
    s.write(s.cell.d_c, d_before);
    const Vector d_g = hn::Mul(d_c, i);
    s.write_gate(at.g, s.lacks<kForm>(Ablation::kInputTanh) ? d_g : before_tanh(d_g, g));
    if (at.o >= 0) s.write_gate(at.o, output.d_o);
  }
};

/// Blocks of a gru: r z n, and Uh + b_hn behind them; coupled without r = 1 - z.
template <bool kCoupled>
struct GruSpot {
  static constexpr int64_t kUpdate = kCoupled ? 0 : 1;
  static constexpr int64_t kCandidate = kUpdate + 1;

  const BackwardSpot& s;
  Vector z, r;
  Vector d_z = zero(), d_n = zero();  ///< of z itself but for the part through r; of n's pre-activation

  explicit HWY_INLINE GruSpot(const BackwardSpot& spot)
      : s(spot), z(s.read_gate(kUpdate)), r(kCoupled ? hn::Sub(set(1.0F), z) : s.read_gate(0)) {}

  /// What both kinds of gru begin with; leaves z*d_h.
  HWY_INLINE void enter() {
    const Vector d_h = s.d_h();
    const Vector n = s.read_gate(kCandidate);
    const Vector h = s.read(s.cell.h_before.at, s.cell.h_before.row);
    const Vector z_d_h = hn::Mul(z, d_h);
    s.write(s.cell.d_states, d_h);
    s.write(s.cell.d_h, z_d_h);
    d_z = hn::Mul(d_h, hn::Sub(h, n));
    d_n = before_tanh(hn::Sub(d_h, z_d_h), n);
  }
  HWY_INLINE void write_gates(Vector d_r) const {
    if constexpr (!kCoupled) s.write_gate(0, before_sigmoid(d_r, r));
    s.write_gate(kUpdate, before_sigmoid(kCoupled ? hn::Sub(d_z, d_r) : d_z, z));
  }
};

template <bool kCoupled>
struct GruGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    constexpr int64_t kN = GruSpot<kCoupled>::kCandidate;
    GruSpot<kCoupled> gru(s);
    gru.enter();
    gru.write_gates(hn::Mul(gru.d_n, s.read_gate(kN + 1)));
    s.write_gate(kN, gru.d_n);
    s.write_gate(kN + 1, hn::Mul(gru.d_n, gru.r));
  }
};

template <bool kCoupled>
struct GruStateGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    GruSpot<kCoupled> gru(s);
    gru.enter();
    s.write_gate(gru.kCandidate, gru.d_n);
    s.write(s.cell.reset, gru.d_z);  // until GruResetGradient has the other part of z's
  }
};

template <bool kCoupled>
struct GruResetGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    GruSpot<kCoupled> gru(s);
    gru.d_z = s.read(s.cell.reset.at, s.cell.reset.row);
    const Vector d_reset = s.read(s.cell.d_reset.at, s.cell.d_reset.row);
    Vector h = s.read(s.cell.h_before.at, s.cell.h_before.row);
    if (s.cell.mask.at != nullptr) h = hn::Mul(h, s.read(s.cell.mask.at, s.cell.mask.row));
    s.write(s.cell.reset, hn::Mul(gru.r, h));
    gru.write_gates(hn::Mul(d_reset, h));
    s.write(s.cell.d_reset, hn::Mul(d_reset, gru.r));
  }
};

template <class Kernel>
void backward_rows(const CellBackward& cell) {
  for (int64_t row = 0; row < cell.rows; ++row) {
    for (int64_t unit = 0; unit < cell.units; unit += kLanes) {
      Kernel::apply({cell, row, unit, HWY_MIN(kLanes, cell.units - unit)});
    }
  }
}

template <size_t... kForms>
constexpr auto lstm_table(std::index_sequence<kForms...>) {
  return std::array{&backward_rows<LstmGradient<LstmForm::at(kForms)>>...};
}

const CellGradientKernels* backward_table() {
  static constexpr CellGradientKernels kTable{
      backward_rows<RnnTanhGradient>,
      backward_rows<RnnReluGradient>,
      backward_rows<RnnLinearGradient>,
      lstm_table(std::make_index_sequence<LstmForm::kCount>()),
      {backward_rows<GruGradient<false>>, backward_rows<GruGradient<true>>},
      {backward_rows<GruStateGradient<false>>, backward_rows<GruStateGradient<true>>},
      {backward_rows<GruResetGradient<false>>, backward_rows<GruResetGradient<true>>}};
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(backward_table);

const CellGradientKernels& cell_gradient_kernels() { return *HWY_DYNAMIC_DISPATCH(backward_table)(); }

CellBackward CellBackward::from(int64_t r, int64_t u) const {
  CellBackward part = *this;
  part.gates = gates.from(r, u);
  part.cells = cells.from(r, u);
  part.c_before = c_before.from(r, u);
  part.h_before = h_before.from(r, u);
  part.lstm = lstm.from(u);
  part.d_y = d_y.from(r, u);
  part.d_h = d_h.from(r, u);
  part.d_c = d_c.from(r, u);
  part.d_states = d_states.from(r, u);
  part.output = output.from(r, u);
  part.mask = mask.from(r, u);
  part.reset = reset.from(r, u);
  part.d_reset = d_reset.from(r, u);
  return part;
}

}  // namespace rondo
#endif
