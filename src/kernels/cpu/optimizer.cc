// The arithmetic is that of kernels/optimizer.h, in its order; one function, move(), does it for both sweeps.
#include "kernels/cpu/optimizer.h"

#include <algorithm>

#include "kernels/cpu/targets.h"
#include "kernels/reference/checks.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/optimizer.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/lanes-inl.h"

#ifndef RONDO_KERNELS_CPU_OPTIMIZER_SWEEP
#define RONDO_KERNELS_CPU_OPTIMIZER_SWEEP
namespace rondo {

/// Elements in a row, and what is done to them.
struct Sweep {
  float* parameter = nullptr;
  const float* gradient = nullptr;
  float* first = nullptr;
  float* second = nullptr;
  int64_t count = 0;
  OptimizerNumbers numbers;
};

/// Elements in a row of a table and the steps that they missed.
struct Replay {
  float* parameter = nullptr;
  float* first = nullptr;
  float* second = nullptr;
  int64_t count = 0;
  const PastStep* past = nullptr;
  int64_t steps = 0;
  int64_t shrinking_from = 0;  ///< index into `past`
};

/// The kernels of one instruction set, by rule.
struct OptimizerKernels {
  void (*sweep[5])(const Sweep&);
  void (*replay[5])(const Replay&);
};

}  // namespace rondo
#endif

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

using Rule = OptimizerStep::Rule;

// An update below 2^-26 of the parameter is below a quarter of its last place, the least that can change it
// (half the distance to the next smaller number, where the parameter is a power of two).
constexpr float kBeyondRounding = 0x1p26F;
// Steps between two looks at whether the update still changes anything.
constexpr int64_t kStepsPerLook = 8;

constexpr bool is_adam(Rule rule) { return rule == Rule::kAdam || rule == Rule::kAdamW; }

/// The numbers of a step in every lane.
struct Constants {
  Vector rate, keep, correction, decay1, decay2, share1, share2, epsilon;

  explicit HWY_INLINE Constants(const OptimizerNumbers& n)
      : rate(set(n.rate)),
        keep(set(n.keep)),
        correction(set(n.correction)),
        decay1(set(n.decay1)),
        decay2(set(n.decay2)),
        share1(set(n.share1)),
        share2(set(n.share2)),
        epsilon(set(n.epsilon)) {}
};

/// One step of one vector, given its whole gradient. @return what `rate` multiplies.
template <Rule kRule, bool kMomentum>
HWY_INLINE Vector move(const Constants& k, Vector g, Vector& p, Vector& m, Vector& v) {
  Vector direction = g;
  if constexpr (kRule == Rule::kSgd) {
    if constexpr (kMomentum) direction = m = hn::MulAdd(k.decay1, m, g);
  } else if constexpr (is_adam(kRule)) {
    m = hn::MulAdd(k.decay1, m, hn::Mul(k.share1, g));
    v = hn::MulAdd(k.decay2, v, hn::Mul(hn::Mul(k.share2, g), g));
    if constexpr (kRule == Rule::kAdamW) p = hn::Mul(k.keep, p);
    direction = hn::Div(m, hn::MulAdd(hn::Sqrt(v), k.correction, k.epsilon));
  } else {
    if constexpr (kRule == Rule::kAdagrad) v = hn::MulAdd(g, g, v);
    if constexpr (kRule == Rule::kRmsprop) v = hn::MulAdd(k.decay2, v, hn::Mul(hn::Mul(k.share2, g), g));
    direction = hn::Div(g, hn::Add(hn::Sqrt(v), k.epsilon));
  }
  p = hn::NegMulAdd(k.rate, direction, p);
  return direction;
}

template <Rule kRule, bool kMomentum>
void sweep_with(const Sweep& s) {
  constexpr bool kSecond = kRule != Rule::kSgd;
  const Constants constants(s.numbers);
  const Vector scale = set(s.numbers.scale);
  const Vector weight_decay = set(s.numbers.weight_decay);
  const bool decays = s.numbers.weight_decay != 0;
  for (int64_t i = 0; i < s.count; i += kLanes) {
    const int64_t lanes = s.count - i;
    Vector p = load_first(s.parameter + i, lanes);
    Vector m = kMomentum ? load_first(s.first + i, lanes) : zero();
    Vector v = kSecond ? load_first(s.second + i, lanes) : zero();
    Vector g = hn::Mul(scale, load_first(s.gradient + i, lanes));
    if (decays) g = hn::MulAdd(weight_decay, p, g);
    move<kRule, kMomentum>(constants, g, p, m, v);
    store_first(p, s.parameter + i, lanes);
    if constexpr (kMomentum) store_first(m, s.first + i, lanes);
    if constexpr (kSecond) store_first(v, s.second + i, lanes);
  }
}

template <Rule kRule>
void sweep(const Sweep& s) {
  if constexpr (kRule == Rule::kSgd) {
    if (s.first == nullptr) return sweep_with<kRule, false>(s);
  }
  sweep_with<kRule, kRule == Rule::kSgd || is_adam(kRule)>(s);
}

/// Whether no lane's parameter changes in this or a later step, each of which shrinks() in turn.
HWY_INLINE bool is_at_rest(Vector update, Vector p, Vector m) {
  const auto small = hn::Lt(hn::Mul(hn::Abs(update), set(kBeyondRounding)), hn::Abs(p));
  return hn::AllTrue(Lanes(), hn::Or(small, hn::Eq(m, zero())));
}

/// Steps of one vector until the parameter rests. @return how many of them were done.
template <Rule kRule>
HWY_INLINE int64_t replay_until_rest(const Replay& r, Vector& p, Vector& m, Vector& v) {
  if (hn::AllTrue(Lanes(), hn::And(hn::Eq(m, zero()), hn::Eq(v, zero())))) return 0;
  int64_t step = 0;
  while (step < r.steps) {
    const int64_t look = step + kStepsPerLook < r.steps ? step + kStepsPerLook : r.steps;
    Vector update = zero();
    for (; step < look; ++step) {
      const Constants constants(r.past[step].numbers);
      update = hn::Mul(constants.rate, move<kRule, true>(constants, zero(), p, m, v));
    }
    if (step - 1 >= r.shrinking_from && is_at_rest(update, p, m)) break;
  }
  return step;
}

/// The steps after the parameter came to rest, of one vector: its moments only decay.
template <Rule kRule>
HWY_INLINE void replay_at_rest(const Replay& r, int64_t step, Vector& p, Vector& m, Vector& v) {
  const Constants constants(r.past[0].numbers);  // the decays are those of every step
  for (; step < r.steps; ++step) {
    m = hn::MulAdd(constants.decay1, m, zero());
    v = hn::MulAdd(constants.decay2, v, zero());
    if constexpr (kRule == Rule::kAdamW) p = hn::Mul(set(r.past[step].numbers.keep), p);
  }
}

// A chain of multiplications a vector: side by side they hide each other's latency.
constexpr int64_t kTogether = 4;

/// Up to kTogether whole vectors.
template <Rule kRule>
void replay_vectors(const Replay& r, int64_t i, int64_t vectors) {
  Vector p[kTogether], m[kTogether], v[kTogether];
  int64_t done[kTogether], latest = 0;
  for (int64_t j = 0; j < kTogether; ++j) {
    const int64_t at = i + HWY_MIN(j, vectors - 1) * kLanes;  // the last again, where there are fewer
    p[j] = load(r.parameter + at);
    m[j] = load(r.first + at);
    v[j] = load(r.second + at);
    done[j] = replay_until_rest<kRule>(r, p[j], m[j], v[j]);
    latest = HWY_MAX(latest, done[j]);
  }
  Replay shorter = r;
  shorter.steps = latest;
  for (int64_t j = 0; j < kTogether; ++j) replay_at_rest<kRule>(shorter, done[j], p[j], m[j], v[j]);
  const Constants constants(r.past[0].numbers);
  for (int64_t step = latest; step < r.steps; ++step) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kTogether; ++j) {
      m[j] = hn::MulAdd(constants.decay1, m[j], zero());
      v[j] = hn::MulAdd(constants.decay2, v[j], zero());
      if constexpr (kRule == Rule::kAdamW) p[j] = hn::Mul(set(r.past[step].numbers.keep), p[j]);
    }
  }
  for (int64_t j = 0; j < vectors; ++j) {
    store(p[j], r.parameter + i + j * kLanes);
    store(m[j], r.first + i + j * kLanes);
    store(v[j], r.second + i + j * kLanes);
  }
}

template <Rule kRule>
void replay_adam(const Replay& r) {
  int64_t i = 0;
  for (; i + kLanes <= r.count; i += kTogether * kLanes) {
    replay_vectors<kRule>(r, i, HWY_MIN(kTogether, (r.count - i) / kLanes));
  }
  i = r.count / kLanes * kLanes;
  if (i == r.count) return;
  const int64_t lanes = r.count - i;
  Vector p = load_first(r.parameter + i, lanes);
  Vector m = load_first(r.first + i, lanes);
  Vector v = load_first(r.second + i, lanes);
  replay_at_rest<kRule>(r, replay_until_rest<kRule>(r, p, m, v), p, m, v);
  store_first(p, r.parameter + i, lanes);
  store_first(m, r.first + i, lanes);
  store_first(v, r.second + i, lanes);
}

void replay_sgd(const Replay& r) {
  if (r.first == nullptr) return;
  for (int64_t i = 0; i < r.count; i += kLanes) {
    const int64_t lanes = r.count - i;
    Vector p = load_first(r.parameter + i, lanes);
    Vector m = load_first(r.first + i, lanes);
    Vector v = zero();
    for (int64_t step = 0; step < r.steps; ++step) {
      move<Rule::kSgd, true>(Constants(r.past[step].numbers), zero(), p, m, v);
    }
    store_first(p, r.parameter + i, lanes);
    store_first(m, r.first + i, lanes);
  }
}

void replay_rmsprop(const Replay& r) {
  const Vector decay = set(r.past[0].numbers.decay2);
  for (int64_t i = 0; i < r.count; i += kLanes) {
    Vector v = load_first(r.second + i, r.count - i);
    for (int64_t step = 0; step < r.steps; ++step) v = hn::MulAdd(decay, v, zero());
    store_first(v, r.second + i, r.count - i);
  }
}

void replay_adagrad(const Replay&) {}  // a zero gradient adds nothing and moves nothing

const OptimizerKernels* optimizer_table() {
  static constexpr OptimizerKernels kTable{
      {sweep<Rule::kSgd>, sweep<Rule::kAdam>, sweep<Rule::kAdamW>, sweep<Rule::kRmsprop>,
       sweep<Rule::kAdagrad>},
      {replay_sgd, replay_adam<Rule::kAdam>, replay_adam<Rule::kAdamW>, replay_rmsprop, replay_adagrad}};
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(optimizer_table);

namespace {

// Elements that a thread takes at least: about 5 us of Adam.
constexpr int64_t kElementsPerThread = 16384;

float* row_of(const Matrix& m, int64_t row) { return m ? m.row<float>(row) : nullptr; }

/// @throws ShapeError; `with_gradient` is false for steps that were missed.
void check(const char* kernel, const OptimizerStep& s, bool with_gradient) {
  const reference::Checks checks(kernel, DType::kFloat32);
  const int64_t rows = s.parameter.rows, columns = s.parameter.columns;
  const bool first = s.rule == OptimizerStep::Rule::kAdam || s.rule == OptimizerStep::Rule::kAdamW ||
                     (s.rule == OptimizerStep::Rule::kSgd && s.momentum != 0);
  checks.shape("parameter", s.parameter, rows, columns);
  if (with_gradient) checks.shape("gradient", s.gradient, rows, columns);
  if (first) checks.shape("first", s.first, rows, columns);
  if (s.rule != OptimizerStep::Rule::kSgd) checks.shape("second", s.second, rows, columns);
}

bool is_whole(const ConstMatrix& m) { return !m || m.rows <= 1 || m.stride == m.columns; }

/// The matrix as one row, if its rows follow one another.
template <class M>
M as_one_row(const M& m) {
  return {m.data, m.type, m ? 1 : 0, m.rows * m.columns, m.rows * m.columns};
}

}  // namespace

void cpu_optimize(ThreadPool& pool, const OptimizerStep& given) {
  check("optimize", given, true);
  OptimizerStep s = given;
  if (is_whole(s.parameter) && is_whole(s.gradient) && is_whole(s.first) && is_whole(s.second)) {
    s.parameter = as_one_row(s.parameter);
    s.gradient = as_one_row(s.gradient);
    s.first = as_one_row(s.first);
    s.second = as_one_row(s.second);
  }
  const auto kernel = HWY_DYNAMIC_DISPATCH(optimizer_table)()->sweep[static_cast<int>(s.rule)];
  const OptimizerNumbers numbers = numbers_of(s);
  for (int64_t r = 0; r < s.parameter.rows; ++r) {
    pool.split(s.parameter.columns, kElementsPerThread, [&](int64_t begin, int64_t end) {
      const auto at = [&](const Matrix& m) { return m ? row_of(m, r) + begin : nullptr; };
      kernel({at(s.parameter), s.gradient.row<float>(r) + begin, at(s.first), at(s.second), end - begin,
              numbers});
    });
  }
}

void cpu_catch_up(ThreadPool& pool, const OptimizerCatchUp& missed) {
  const OptimizerStep& table = missed.table;
  check("catch_up", table, false);
  const auto kernel = HWY_DYNAMIC_DISPATCH(optimizer_table)()->replay[static_cast<int>(table.rule)];
  const int64_t columns = table.parameter.columns;
  const int64_t before = table.step - static_cast<int64_t>(missed.past.size());
  const auto bring = [&](int64_t i) {
    const int64_t row = missed.rows[i];
    const int64_t done = missed.done[i];
    if (done >= table.step) return;
    kernel({row_of(table.parameter, row), row_of(table.first, row), row_of(table.second, row), columns,
            missed.past.data() + (done - before), table.step - done, missed.shrinking_from - done - 1});
  };
  const int64_t grain = std::max<int64_t>(1, kElementsPerThread / 16 / std::max<int64_t>(1, columns));
  pool.split(static_cast<int64_t>(missed.rows.size()), grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) bring(i);
  });
}

}  // namespace rondo
#endif
