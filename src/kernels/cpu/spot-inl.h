// Where the cells' kernels read and write: one row of a step at one vector of units.
#if defined(RONDO_KERNELS_CPU_SPOT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef RONDO_KERNELS_CPU_SPOT_INL_H_
#undef RONDO_KERNELS_CPU_SPOT_INL_H_
#else
#define RONDO_KERNELS_CPU_SPOT_INL_H_
#endif

#include "kernels/cpu/cells.h"
#include "kernels/cpu/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

/// Reads and writes the first `count` lanes.
template <class Cell>
struct Spot {
  const Cell& cell;
  int64_t row, unit, count;

  HWY_INLINE float* gate(int64_t g) const {
    return cell.gates.at + row * cell.gates.row + g * cell.block + unit;
  }
  HWY_INLINE Vector read_gate(int64_t g) const { return load_first(gate(g), count); }
  HWY_INLINE Vector read_gate_or_one(int64_t g) const { return g < 0 ? set(1.0F) : read_gate(g); }
  HWY_INLINE void write_gate(int64_t g, Vector v) const { store_first(v, gate(g), count); }
  HWY_INLINE Vector read(const float* at, int64_t stride) const {
    return load_first(at + row * stride + unit, count);
  }
  HWY_INLINE void write(const Rows& rows, Vector v) const {
    if (rows.at != nullptr) store_first(v, rows.at + row * rows.row + unit, count);
  }
  /// sum + v * peephole, where there is one.
  HWY_INLINE Vector peep(int p, Vector v, Vector sum) const {
    if (cell.lstm.peepholes[p] == nullptr) return sum;
    return hn::MulAdd(load_first(cell.lstm.peepholes[p] + unit, count), v, sum);
  }
  template <LstmForm kForm>
  HWY_INLINE LstmBlocks blocks() const {
    constexpr LstmBlocks kWhole(kForm.coupled, Ablation::kNone);
    return kForm.style == LstmForm::kAblated ? cell.lstm.blocks : kWhole;
  }
  /// Whether the lstm does without this.
  template <LstmForm kForm>
  HWY_INLINE bool lacks(Ablation part) const {
    return kForm.style == LstmForm::kAblated && cell.lstm.without == part;
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#endif
