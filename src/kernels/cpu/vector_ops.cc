#include "kernels/cpu/vector_ops.h"

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
