#include "kernels/cpu/cells.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cells_forward.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

/// A row of one step at one vector of units: reads and writes the first `count` lanes.
struct ForwardSpot {
  const CellForward& cell;
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
  /// gate + peephole * c.
  HWY_INLINE Vector peep(int p, Vector c, Vector gate_value) const {
    if (cell.peepholes[p] == nullptr) return gate_value;
    return hn::MulAdd(load_first(cell.peepholes[p] + unit, count), c, gate_value);
  }
  HWY_INLINE void write_state(Vector h) const {
    write(cell.h, h);
    write(cell.h_plain, h);
    if (cell.h_next.at == nullptr) return;
    write(cell.h_next, cell.mask.at == nullptr ? h : hn::Mul(h, read(cell.mask.at, cell.mask.row)));
  }
};

struct RnnTanh {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    const Vector h = tanh(s.read_gate(0));
    s.write_gate(0, h);
    s.write_state(h);
  }
};

struct RnnRelu {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    const Vector h = relu(s.read_gate(0));
    s.write_gate(0, h);
    s.write_state(h);
  }
};

struct RnnLinear {
  static HWY_INLINE void apply(const ForwardSpot& s) { s.write_state(s.read_gate(0)); }
};

// An lstm's row takes two turns: first the gates, then the state. In one turn the tanh of c' would wait for
// gates and cell, and the processor does not look far enough ahead to find other work (a third faster in
// two).

/// i, f, g, and o where it needs no c'.
template <bool kCoupled>
struct LstmGates {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    constexpr int64_t kForget = kCoupled ? 0 : 1;
    const Vector c = s.read(s.cell.c.at, s.cell.c.row);
    if (!kCoupled) s.write_gate(0, sigmoid(s.peep(0, c, s.read_gate(0))));
    s.write_gate(kForget, sigmoid(s.peep(1, c, s.read_gate(kForget))));
    s.write_gate(kForget + 1, tanh(s.read_gate(kForget + 1)));
    if (s.cell.peepholes[2] == nullptr) s.write_gate(kForget + 2, sigmoid(s.read_gate(kForget + 2)));
  }
};

/// @tparam kOutside  h' = tanh(o*c') instead of o*tanh(c').
template <bool kCoupled, bool kOutside>
struct LstmState {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    constexpr int64_t kForget = kCoupled ? 0 : 1;
    const Vector c = s.read(s.cell.c.at, s.cell.c.row);
    const Vector f = s.read_gate(kForget);
    const Vector i = kCoupled ? hn::Sub(set(1.0F), f) : s.read_gate(0);
    const Vector c_new = hn::MulAdd(f, c, hn::Mul(i, s.read_gate(kForget + 1)));
    Vector o = s.read_gate(kForget + 2);
    if (s.cell.peepholes[2] != nullptr) {
      o = sigmoid(s.peep(2, c_new, o));
      s.write_gate(kForget + 2, o);
    }
    s.write(s.cell.c, c_new);
    s.write(s.cell.cells, c_new);
    s.write_state(kOutside ? tanh(hn::Mul(o, c_new)) : hn::Mul(o, tanh(c_new)));
  }
};

/// h' = (1-z)*n + z*h.
HWY_INLINE void write_gru(const ForwardSpot& s, Vector z, Vector n) {
  const Vector h = s.read(s.cell.h_plain.at, s.cell.h_plain.row);
  s.write_gate(2, n);
  s.write_state(hn::MulAdd(z, hn::Sub(h, n), n));
}

struct GruGates {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    s.write_gate(0, sigmoid(s.read_gate(0)));
    s.write_gate(1, sigmoid(s.read_gate(1)));
  }
};

struct GruCandidate {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    write_gru(s, s.read_gate(1), tanh(hn::MulAdd(s.read_gate(0), s.read_gate(3), s.read_gate(2))));
  }
};

struct GruReset {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    const Vector r = sigmoid(s.read_gate(0));
    s.write_gate(0, r);
    s.write_gate(1, sigmoid(s.read_gate(1)));
    s.write(s.cell.reset, hn::Mul(r, s.read(s.cell.h_masked.at, s.cell.h_masked.row)));
  }
};

struct GruState {
  static HWY_INLINE void apply(const ForwardSpot& s) { write_gru(s, s.read_gate(1), tanh(s.read_gate(2))); }
};

template <class Turn>
void take_turn(const CellForward& cell) {
  for (int64_t row = 0; row < cell.rows; ++row) {
    int64_t unit = 0;
    for (; unit + kLanes <= cell.units; unit += kLanes) Turn::apply({cell, row, unit, kLanes});
    if (unit < cell.units) Turn::apply({cell, row, unit, cell.units - unit});
  }
}

template <class... Turns>
void forward_rows(const CellForward& cell) {
  (take_turn<Turns>(cell), ...);
}

const CellKernels* forward_table() {
  static constexpr CellKernels kTable{forward_rows<RnnTanh>,
                                      forward_rows<RnnRelu>,
                                      forward_rows<RnnLinear>,
                                      forward_rows<LstmGates<false>, LstmState<false, false>>,
                                      forward_rows<LstmGates<true>, LstmState<true, false>>,
                                      forward_rows<LstmGates<false>, LstmState<false, true>>,
                                      forward_rows<LstmGates<true>, LstmState<true, true>>,
                                      forward_rows<GruGates, GruCandidate>,
                                      forward_rows<GruReset>,
                                      forward_rows<GruState>};
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(forward_table);

const CellKernels& cell_kernels() { return *HWY_DYNAMIC_DISPATCH(forward_table)(); }

CellForward CellForward::from(int64_t r, int64_t u) const {
  CellForward part = *this;
  part.gates = gates.from(r, u);
  part.c = c.from(r, u);
  part.cells = cells.from(r, u);
  for (int p = 0; p < 3; ++p) part.peepholes[p] = peepholes[p] == nullptr ? nullptr : peepholes[p] + u;
  part.h = h.from(r, u);
  part.h_next = h_next.from(r, u);
  part.h_plain = h_plain.from(r, u);
  part.h_masked = h_masked.from(r, u);
  part.reset = reset.from(r, u);
  part.mask = mask.from(r, u);
  return part;
}

}  // namespace rondo
#endif
