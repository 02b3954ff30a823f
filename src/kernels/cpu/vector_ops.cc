#include "kernels/cpu/vector_ops.h"

#include "base/random.h"
#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/vector_ops.cc"
#include <hwy/foreach_target.h>
// After foreach_target.h.
#include "kernels/cpu/activation-inl.h"

HWY_BEFORE_NAMESPACE();
namespace rondo {
namespace HWY_NAMESPACE {

/// y[i] = Op(x[i], y[i])
template <class Op>
void map(const float* x, float* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(Op::apply(load(x + i), y + i, kLanes), y + i);
  const int64_t left = count - i;
  if (left > 0) store_first(Op::apply(load_first(x + i, left), y + i, left), y + i, left);
}

/// y[i] = Op(a[i], b[i], y[i])
template <class Op>
void map(const float* a, const float* b, float* y, int64_t count) {
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) store(Op::apply(load(a + i), load(b + i), y + i, kLanes), y + i);
  const int64_t left = count - i;
  if (left > 0) {
    store_first(Op::apply(load_first(a + i, left), load_first(b + i, left), y + i, left), y + i, left);
  }
}

struct Copy {
  static HWY_INLINE Vector apply(Vector x, const float*, int64_t) { return x; }
};
struct AddTo {
  static HWY_INLINE Vector apply(Vector x, const float* y, int64_t count) {
    return hn::Add(load_first(y, count), x);
  }
};
struct Tanh {
  static HWY_INLINE Vector apply(Vector x, const float*, int64_t) { return tanh(x); }
};
struct Sigmoid {
  static HWY_INLINE Vector apply(Vector x, const float*, int64_t) { return sigmoid(x); }
};
struct Relu {
  static HWY_INLINE Vector apply(Vector x, const float*, int64_t) { return relu(x); }
};

struct Multiply {
  static HWY_INLINE Vector apply(Vector a, Vector b, const float*, int64_t) { return hn::Mul(a, b); }
};
struct MultiplyAdd {
  static HWY_INLINE Vector apply(Vector a, Vector b, const float* y, int64_t count) {
    return hn::Add(load_first(y, count), hn::Mul(a, b));
  }
};
struct TanhBackward {
  static HWY_INLINE Vector apply(Vector y, Vector d_y, const float* d_x, int64_t count) {
    return hn::MulAdd(d_y, hn::NegMulAdd(y, y, set(1.0F)), load_first(d_x, count));
  }
};
struct SigmoidBackward {
  static HWY_INLINE Vector apply(Vector y, Vector d_y, const float* d_x, int64_t count) {
    return hn::MulAdd(d_y, hn::NegMulAdd(y, y, y), load_first(d_x, count));
  }
};
struct ReluBackward {
  static HWY_INLINE Vector apply(Vector y, Vector d_y, const float* d_x, int64_t count) {
    return hn::Add(load_first(d_x, count), hn::IfThenElseZero(hn::Gt(y, zero()), d_y));
  }
};

void scale(float* y, float factor, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) {
    store_first(hn::Mul(load_first(y + i, count - i), set(factor)), y + i, count - i);
  }
}

void fill(float* y, float value, int64_t count) {
  for (int64_t i = 0; i < count; i += kLanes) store_first(set(value), y + i, count - i);
}

double sum_of_squares(const float* x, int64_t count) {
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, hn::ScalableTag<double>> floats;
  constexpr int64_t kDoubles = hn::MaxLanes(hn::ScalableTag<double>());
  auto low = hn::Zero(doubles);
  auto high = hn::Zero(doubles);
  int64_t i = 0;
  for (; i + 2 * kDoubles <= count; i += 2 * kDoubles) {
    const auto a = hn::PromoteTo(doubles, hn::LoadU(floats, x + i));
    const auto b = hn::PromoteTo(doubles, hn::LoadU(floats, x + i + kDoubles));
    low = hn::MulAdd(a, a, low);
    high = hn::MulAdd(b, b, high);
  }
  HWY_ALIGN double lanes[2 * kDoubles];
  hn::Store(low, doubles, lanes);
  hn::Store(high, doubles, lanes + kDoubles);
  double sum = 0;
  for (int64_t lane = 0; lane < 2 * kDoubles; ++lane) sum += lanes[lane];
  for (; i < count; ++i) sum += static_cast<double>(x[i]) * x[i];
  return sum;
}

// Four vectors side by side: their chains of additions hide each other's latency.
void column_sums(const float* x, int64_t stride, int64_t rows, float* y, int64_t count) {
  for (int64_t j = 0; j < count; j += 4 * kLanes) {
    Vector sum[4];
    for (int64_t v = 0; v < 4; ++v)
      sum[v] = load_first(y + j + v * kLanes, HWY_MAX(count - j - v * kLanes, 0));
    for (int64_t r = 0; r < rows; ++r) {
      const float* row = x + r * stride + j;
      for (int64_t v = 0; v < 4; ++v) {
        const int64_t left = count - j - v * kLanes;
        if (left > 0) sum[v] = hn::Add(sum[v], load_first(row + v * kLanes, left));
      }
    }
    for (int64_t v = 0; v < 4; ++v)
      store_first(sum[v], y + j + v * kLanes, HWY_MAX(count - j - v * kLanes, 0));
  }
}

void product_sums(const float* a, int64_t a_stride, const float* b, int64_t b_stride, int64_t rows, float* y,
                  int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes) {
    const int64_t left = count - j;
    Vector sum = load_first(y + j, left);
    for (int64_t r = 0; r < rows; ++r) {
      sum = hn::MulAdd(load_first(a + r * a_stride + j, left), load_first(b + r * b_stride + j, left), sum);
    }
    store_first(sum, y + j, left);
  }
}

float largest(const float* x, int64_t count) {
  Vector most = set(x[0]);
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) most = hn::Max(most, load(x + j));
  float result = hn::GetLane(hn::MaxOfLanes(Lanes(), most));
  for (; j < count; ++j) result = x[j] > result ? x[j] : result;
  return result;
}

/// The lanes in order.
float sum_of_lanes(Vector v) {
  HWY_ALIGN float lanes[kLanes];
  hn::Store(v, Lanes(), lanes);
  float sum = 0;
  for (int64_t lane = 0; lane < kLanes; ++lane) sum += lanes[lane];
  return sum;
}

/// exp(x) for x <= 0; below the smallest normal number 0; what is no number stays so.
HWY_INLINE Vector exp_of_negative(Vector x) {
  const Exponential e = exponential(hn::Max(set(-87.3F), x));
  const Vector y = hn::MulAdd(e.power, e.part, e.power);
  const Vector outside = hn::IfThenZeroElse(hn::Lt(x, set(-87.3F)), x);
  return hn::IfThenElse(hn::Ge(x, set(-87.3F)), y, outside);
}

float exponentials(const float* x, float most, float* y, int64_t count) {
  Vector sum = zero();
  for (int64_t j = 0; j < count; j += kLanes) {
    const int64_t left = count - j;
    const Vector value = exp_of_negative(hn::Sub(load_first(x + j, left), set(most)));
    store_first(value, y + j, left);
    // Added from memory: lanes behind the last are no numbers of ours.
    sum = hn::Add(sum, left >= kLanes ? value : load_first(y + j, left));
  }
  return sum_of_lanes(sum);
}

void divide(float* y, float divisor, int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes) {
    store_first(hn::Div(load_first(y + j, count - j), set(divisor)), y + j, count - j);
  }
}

void add_scaled(float factor, const float* x, float* y, int64_t count) {
  for (int64_t j = 0; j < count; j += kLanes) {
    const int64_t left = count - j;
    store_first(hn::MulAdd(set(factor), load_first(x + j, left), load_first(y + j, left)), y + j, left);
  }
}

float dot(const float* a, const float* b, int64_t count) {
  Vector sum = zero();
  for (int64_t j = 0; j < count; j += kLanes) {
    sum = hn::MulAdd(load_first(a + j, count - j), load_first(b + j, count - j), sum);
  }
  return sum_of_lanes(sum);
}

#if HWY_TARGET != HWY_SCALAR
/// Philox 4x32-10 (see base/random.h) of a vector of counters, each number in a lane of 64 bits, whose upper
/// half is zero.
struct Counters {
  using Wide = hn::RepartitionToWide<hn::RebindToUnsigned<Lanes>>;
  hn::Vec<Wide> c0, c1, c2, c3;

  static HWY_INLINE hn::Vec<Wide> product(hn::Vec<Wide> c, uint32_t factor) {
    const hn::RebindToUnsigned<Lanes> bits;
    return hn::MulEven(hn::BitCast(bits, c), hn::Set(bits, factor));
  }
  HWY_INLINE void round(uint32_t key0, uint32_t key1) {
    const auto low_half = hn::Set(Wide(), 0xFFFFFFFFULL);
    const auto p0 = product(c0, 0xD2511F53);
    const auto p1 = product(c2, 0xCD9E8D57);
    c0 = hn::Xor(hn::ShiftRight<32>(p1), hn::Xor(c1, hn::Set(Wide(), key0)));
    c2 = hn::Xor(hn::ShiftRight<32>(p0), hn::Xor(c3, hn::Set(Wide(), key1)));
    c1 = hn::And(p1, low_half);
    c3 = hn::And(p0, low_half);
  }
};

constexpr int64_t kBlocks = hn::MaxLanes(Counters::Wide());

/// Blocks first .. first+kBlocks-1 of four numbers each, in their order.
void draw(uint64_t key, uint64_t first, uint32_t* numbers) {
  const Counters::Wide wide;
  const auto index = hn::Iota(wide, first);
  Counters c{hn::And(index, hn::Set(wide, 0xFFFFFFFFULL)), hn::ShiftRight<32>(index), hn::Zero(wide),
             hn::Zero(wide)};
  auto key0 = static_cast<uint32_t>(key);
  auto key1 = static_cast<uint32_t>(key >> 32);
  for (int i = 0; i < 10; ++i, key0 += 0x9E3779B9, key1 += 0xBB67AE85) c.round(key0, key1);
  HWY_ALIGN uint64_t pairs[2][kBlocks];
  hn::Store(hn::Or(c.c0, hn::ShiftLeft<32>(c.c1)), wide, pairs[0]);
  hn::Store(hn::Or(c.c2, hn::ShiftLeft<32>(c.c3)), wide, pairs[1]);
  for (int64_t b = 0; b < kBlocks; ++b) {
    for (int half = 0; half < 2; ++half) {
      numbers[4 * b + 2 * half] = static_cast<uint32_t>(pairs[half][b]);
      numbers[4 * b + 2 * half + 1] = static_cast<uint32_t>(pairs[half][b] >> 32);
    }
  }
}
#else
constexpr int64_t kBlocks = 1;
void draw(uint64_t key, uint64_t first, uint32_t* numbers) {
  const auto block = philox({static_cast<uint32_t>(first), static_cast<uint32_t>(first >> 32), 0, 0},
                            {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
  for (int i = 0; i < 4; ++i) numbers[i] = block[i];
}
#endif

void dropout_mask(uint64_t key, uint64_t first, int32_t threshold, float kept, float* mask, int64_t count) {
  HWY_ALIGN uint32_t numbers[4 * kBlocks];
  uint64_t block = first / 4;
  auto skip = static_cast<int64_t>(first % 4);
  for (int64_t i = 0; i < count; skip = 0, block += kBlocks) {
    draw(key, block, numbers);
    const int64_t end = HWY_MIN(count, i + 4 * kBlocks - skip);
    for (int64_t n = skip; i < end; ++i, ++n) {
      mask[i] = static_cast<int32_t>(numbers[n] >> 8) >= threshold ? kept : 0.0F;
    }
  }
}

void max(const float* x, int32_t row, float* y, int32_t* chosen, int64_t count) {
  for (int64_t j = 0; j < count; ++j) {
    const bool larger = x[j] > y[j];
    y[j] = larger ? x[j] : y[j];
    chosen[j] = larger ? row : chosen[j];
  }
}

const VectorOps* ops_table() {
  static constexpr VectorOps kTable{
      .copy = map<Copy>,
      .add = map<AddTo>,
      .multiply = map<Multiply>,
      .multiply_add = map<MultiplyAdd>,
      .scale = scale,
      .fill = fill,
      .sum_of_squares = sum_of_squares,
      .column_sums = column_sums,
      .product_sums = product_sums,
      .max = max,
      .largest = largest,
      .exponentials = exponentials,
      .divide = divide,
      .add_scaled = add_scaled,
      .dot = dot,
      .dropout_mask = dropout_mask,
      .tanh = map<Tanh>,
      .sigmoid = map<Sigmoid>,
      .relu = map<Relu>,
      .tanh_backward = map<TanhBackward>,
      .sigmoid_backward = map<SigmoidBackward>,
      .relu_backward = map<ReluBackward>,
  };
  return &kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace rondo
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rondo {
HWY_EXPORT(ops_table);

const VectorOps& vector_ops() { return *HWY_DYNAMIC_DISPATCH(ops_table)(); }

}  // namespace rondo
#endif
