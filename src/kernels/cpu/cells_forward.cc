#include <utility>

#include "kernels/cpu/cells.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/cells_forward.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/activation-inl.h"
#include "kernels/cpu/spot-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

struct ForwardSpot : Spot<CellForward> {
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
template <LstmForm kForm>
struct LstmGates {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    const LstmBlocks at = s.blocks<kForm>();
    const Vector c = s.read(s.cell.c.at, s.cell.c.row);
    if (at.i >= 0) s.write_gate(at.i, sigmoid(s.peep(0, c, s.read_gate(at.i))));
    if (at.f >= 0) s.write_gate(at.f, sigmoid(s.peep(1, c, s.read_gate(at.f))));
    if (!s.lacks<kForm>(Ablation::kInputTanh)) s.write_gate(at.g, tanh(s.read_gate(at.g)));
    if (at.o >= 0 && s.cell.lstm.peepholes[2] == nullptr) s.write_gate(at.o, sigmoid(s.read_gate(at.o)));
  }
};

/// h' of o and c'.
template <LstmForm kForm>
HWY_INLINE Vector lstm_output(const ForwardSpot& s, Vector o, Vector c_new) {
  if (s.lacks<kForm>(Ablation::kOutputTanh)) return hn::Mul(o, c_new);
  return kForm.style == LstmForm::kOutside ? tanh(hn::Mul(o, c_new)) : hn::Mul(o, tanh(c_new));
}

template <LstmForm kForm>
struct LstmState {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    const LstmBlocks at = s.blocks<kForm>();
    const Vector c = s.read(s.cell.c.at, s.cell.c.row);
    const Vector f = s.read_gate_or_one(at.f);
    const Vector i = kForm.coupled ? hn::Sub(set(1.0F), f) : s.read_gate_or_one(at.i);
    const Vector c_new = hn::MulAdd(f, c, hn::Mul(i, s.read_gate(at.g)));
    Vector o = s.read_gate_or_one(at.o);
    if (s.cell.lstm.peepholes[2] != nullptr) {
      o = sigmoid(s.peep(2, c_new, o));
      s.write_gate(at.o, o);
    }
    s.write(s.cell.c, c_new);
    s.write(s.cell.cells, c_new);
    s.write_state(lstm_output<kForm>(s, o, c_new));
  }
};

/// Blocks of a gru: r z n, and Uh + b_hn behind them; coupled without r = 1 - z.
template <bool kCoupled>
struct Gru {
  static constexpr int64_t kUpdate = kCoupled ? 0 : 1;
  static constexpr int64_t kCandidate = kUpdate + 1;

  static HWY_INLINE Vector reset(const ForwardSpot& s) {
    return kCoupled ? hn::Sub(set(1.0F), s.read_gate(kUpdate)) : s.read_gate(0);
  }
  /// h' = (1-z)*n + z*h.
  static HWY_INLINE void write(const ForwardSpot& s, Vector n) {
    const Vector h = s.read(s.cell.h_plain.at, s.cell.h_plain.row);
    s.write_gate(kCandidate, n);
    s.write_state(hn::MulAdd(s.read_gate(kUpdate), hn::Sub(h, n), n));
  }
};

template <bool kCoupled>
struct GruGates {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    if (!kCoupled) s.write_gate(0, sigmoid(s.read_gate(0)));
    s.write_gate(Gru<kCoupled>::kUpdate, sigmoid(s.read_gate(Gru<kCoupled>::kUpdate)));
  }
};

template <bool kCoupled>
struct GruCandidate {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    constexpr int64_t kN = Gru<kCoupled>::kCandidate;
    Gru<kCoupled>::write(s, tanh(hn::MulAdd(Gru<kCoupled>::reset(s), s.read_gate(kN + 1), s.read_gate(kN))));
  }
};

template <bool kCoupled>
struct GruReset {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    GruGates<kCoupled>::apply(s);
    s.write(s.cell.reset, hn::Mul(Gru<kCoupled>::reset(s), s.read(s.cell.h_masked.at, s.cell.h_masked.row)));
  }
};

template <bool kCoupled>
struct GruState {
  static HWY_INLINE void apply(const ForwardSpot& s) {
    Gru<kCoupled>::write(s, tanh(s.read_gate(Gru<kCoupled>::kCandidate)));
  }
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

template <size_t... kForms>
constexpr auto lstm_table(std::index_sequence<kForms...>) {
  return std::array{&forward_rows<LstmGates<LstmForm::at(kForms)>, LstmState<LstmForm::at(kForms)>>...};
}

const CellKernels* forward_table() {
  static constexpr CellKernels kTable{
      forward_rows<RnnTanh>,
      forward_rows<RnnRelu>,
      forward_rows<RnnLinear>,
      lstm_table(std::make_index_sequence<LstmForm::kCount>()),
      {forward_rows<GruGates<false>, GruCandidate<false>>, forward_rows<GruGates<true>, GruCandidate<true>>},
      {forward_rows<GruReset<false>>, forward_rows<GruReset<true>>},
      {forward_rows<GruState<false>>, forward_rows<GruState<true>>}};
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
  part.lstm = lstm.from(u);
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
