#include "kernels/cpu/cells.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cells_backward.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

/// A row of one step at one vector of units: reads and writes the first `count` lanes.
struct BackwardSpot {
  const CellBackward& cell;
  int64_t row, unit, count;

  HWY_INLINE float* gate(int64_t g) const {
    return cell.gates.at + row * cell.gates.row + g * cell.block + unit;
  }
  HWY_INLINE Vector read_gate(int64_t g) const { return load_first(gate(g), count); }
  HWY_INLINE void write_gate(int64_t g, Vector v) const { store_first(v, gate(g), count); }
  HWY_INLINE Vector read(const float* at, int64_t stride) const {
    return load_first(at + row * stride + unit, count);
  }
  HWY_INLINE void write(const Rows& rows, Vector v) const {
    if (rows.at != nullptr) store_first(v, rows.at + row * rows.row + unit, count);
  }
  /// The whole gradient of h'.
  HWY_INLINE Vector d_h() const {
    const Vector later = read(cell.d_h.at, cell.d_h.row);
    return cell.d_y.at == nullptr ? later : hn::Add(read(cell.d_y.at, cell.d_y.row), later);
  }
  /// sum + d_gate * peephole.
  HWY_INLINE Vector peep(int p, Vector d_gate, Vector sum) const {
    if (cell.peepholes[p] == nullptr) return sum;
    return hn::MulAdd(load_first(cell.peepholes[p] + unit, count), d_gate, sum);
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

/// @tparam kOutside  h' = tanh(o*c') instead of o*tanh(c').
template <bool kCoupled, bool kOutside>
struct LstmGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    constexpr int64_t kForget = kCoupled ? 0 : 1;
    const Vector f = s.read_gate(kForget);
    const Vector i = kCoupled ? hn::Sub(set(1.0F), f) : s.read_gate(0);
    const Vector g = s.read_gate(kForget + 1);
    const Vector o = s.read_gate(kForget + 2);
    const Vector c = s.read(s.cell.c_before.at, s.cell.c_before.row);
    const Vector c_new = s.read(s.cell.cells.at, s.cell.cells.row);
    const Vector squashed = tanh(kOutside ? hn::Mul(o, c_new) : c_new);
    const Vector d_h = s.d_h();
    const Vector d_product = before_tanh(d_h, squashed);  // of o*c', with the tanh outside
    const Vector d_o = before_sigmoid(hn::Mul(kOutside ? d_product : d_h, kOutside ? c_new : squashed), o);
    const Vector d_c_new = kOutside ? hn::Mul(d_product, o) : before_tanh(hn::Mul(d_h, o), squashed);
    Vector d_c = hn::Add(s.read(s.cell.d_c.at, s.cell.d_c.row), d_c_new);
    d_c = s.peep(2, d_o, d_c);
    s.write(s.cell.d_states, d_c);
    s.write(s.cell.output, kOutside ? squashed : hn::Mul(o, squashed));
    const Vector d_f = before_sigmoid(hn::Mul(d_c, kCoupled ? hn::Sub(c, g) : c), f);
    Vector d_before = s.peep(1, d_f, hn::Mul(d_c, f));
    if (!kCoupled) {
      const Vector d_i = before_sigmoid(hn::Mul(d_c, g), i);
      d_before = s.peep(0, d_i, d_before);
      s.write_gate(0, d_i);
    }
    s.write(s.cell.d_c, d_before);
    s.write_gate(kForget, d_f);
    s.write_gate(kForget + 1, before_tanh(hn::Mul(d_c, i), g));
    s.write_gate(kForget + 2, d_o);
  }
};

/// What both kinds of gru begin with: leaves d_z and z*d_h, returns d_n.
HWY_INLINE Vector gru_candidate(const BackwardSpot& s) {
  const Vector d_h = s.d_h();
  const Vector z = s.read_gate(1);
  const Vector n = s.read_gate(2);
  const Vector h = s.read(s.cell.h_before.at, s.cell.h_before.row);
  const Vector z_d_h = hn::Mul(z, d_h);
  s.write(s.cell.d_states, d_h);
  s.write(s.cell.d_h, z_d_h);
  s.write_gate(1, before_sigmoid(hn::Mul(d_h, hn::Sub(h, n)), z));
  return before_tanh(hn::Sub(d_h, z_d_h), n);
}

struct GruGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const Vector r = s.read_gate(0);
    const Vector d_n = gru_candidate(s);
    s.write_gate(0, before_sigmoid(hn::Mul(d_n, s.read_gate(3)), r));
    s.write_gate(2, d_n);
    s.write_gate(3, hn::Mul(d_n, r));
  }
};

struct GruStateGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) { s.write_gate(2, gru_candidate(s)); }
};

struct GruResetGradient {
  static HWY_INLINE void apply(const BackwardSpot& s) {
    const Vector r = s.read_gate(0);
    const Vector d_reset = s.read(s.cell.d_reset.at, s.cell.d_reset.row);
    Vector h = s.read(s.cell.h_before.at, s.cell.h_before.row);
    if (s.cell.mask.at != nullptr) h = hn::Mul(h, s.read(s.cell.mask.at, s.cell.mask.row));
    s.write(s.cell.reset, hn::Mul(r, h));
    s.write_gate(0, before_sigmoid(hn::Mul(d_reset, h), r));
    s.write(s.cell.d_reset, hn::Mul(d_reset, r));
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

const CellGradientKernels* backward_table() {
  static constexpr CellGradientKernels kTable{
      backward_rows<RnnTanhGradient>,           backward_rows<RnnReluGradient>,
      backward_rows<RnnLinearGradient>,         backward_rows<LstmGradient<false, false>>,
      backward_rows<LstmGradient<true, false>>, backward_rows<LstmGradient<false, true>>,
      backward_rows<LstmGradient<true, true>>,  backward_rows<GruGradient>,
      backward_rows<GruStateGradient>,          backward_rows<GruResetGradient>};
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
  for (int p = 0; p < 3; ++p) part.peepholes[p] = peepholes[p] == nullptr ? nullptr : peepholes[p] + u;
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
