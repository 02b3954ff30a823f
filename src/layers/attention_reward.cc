#include "layers/attention_reward.h"

#include <algorithm>
#include <complex>

#include "base/errors.h"

namespace rondo {

namespace {

constexpr double kLeast = 1e-30;

using Complex = std::complex<double>;

double logarithm(double x) { return std::log(std::max(x, kLeast)); }
Complex logarithm(Complex x) { return std::log(x.real() > kLeast ? x : Complex(kLeast)); }

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, Complex>, Complex, double>;

/// What was drawn, and what for.
struct Reward {
  std::vector<int32_t> chosen;
  std::vector<double> advantages;
  double entropy = 0;
};

template <class T>
T loss_of(const Tensor& weights, const Reward& reward) {
  const int64_t regions = weights.dim(1);
  const T* w = weights.data<T>();
  Wide<T> sum = 0;
  for (size_t r = 0; r < reward.chosen.size(); ++r, w += regions) {
    sum -= reward.advantages[r] * logarithm(Wide<T>(w[reward.chosen[r]]));
    for (int64_t i = 0; i < regions; ++i) sum += reward.entropy * Wide<T>(w[i]) * logarithm(Wide<T>(w[i]));
  }
  return static_cast<T>(sum);
}

template <class T>
void add_gradient(const Tensor& weights, const Reward& reward, double scale, Matrix gradient) {
  const int64_t regions = weights.dim(1);
  const T* w = weights.data<T>();
  for (size_t r = 0; r < reward.chosen.size(); ++r, w += regions) {
    T* d = static_cast<T*>(gradient.data) + static_cast<int64_t>(r) * gradient.stride;
    for (int64_t i = 0; i < regions; ++i) {
      d[i] += static_cast<T>(scale * reward.entropy * (logarithm(Wide<T>(w[i])) + 1.0));
    }
    const Wide<T> chosen = w[reward.chosen[r]];
    if (std::real(chosen) > kLeast) {
      d[reward.chosen[r]] -= static_cast<T>(scale * reward.advantages[r] / chosen);
    }
  }
}

// Of a dozen numbers a row, outside the backend: no kernel has logarithms of weights.
template <class Body>
auto with_type(DType type, Body body) {
  if (type == DType::kFloat64) return body(double());
  if (type == DType::kComplex128) return body(Complex());
  return body(float());
}

}  // namespace

Variable attention_reward(const Variable& weights, std::vector<int32_t> chosen,
                          std::vector<double> advantages, double entropy) {
  const Tensor& w = weights.value();
  const bool inside =
      std::ranges::all_of(chosen, [&](int32_t region) { return region >= 0 && region < w.dim(1); });
  if (static_cast<int64_t>(chosen.size()) != w.dim(0) || chosen.size() != advantages.size() || !inside) {
    throw_error<ShapeError>("attention reward: {} regions and {} advantages for weights {}", chosen.size(),
                            advantages.size(), to_string(w.shape()));
  }
  Reward reward{std::move(chosen), std::move(advantages), entropy};
  Tensor loss({1}, w.type());
  with_type(w.type(), [&]<class T>(T) { loss.data<T>()[0] = loss_of<T>(w, reward); });
  return weights.tape().make_result(loss, {weights}, [w, reward](const Gradients& g) {
    with_type(w.type(), [&]<class T>(T) { add_gradient<T>(w, reward, g.scalar(), g.input(0)); });
  });
}

std::vector<int32_t> draw_regions(const Tensor& weights, const Stream& stream) {
  std::vector<int32_t> drawn;
  const int64_t regions = weights.dim(1);
  for (int64_t r = 0; r < weights.dim(0); ++r) {
    const double wanted = stream.uniform(static_cast<uint64_t>(r));
    double reached = 0;
    int64_t i = 0;
    while (i + 1 < regions && (reached += weights.at(r * regions + i)) <= wanted) ++i;
    drawn.push_back(static_cast<int32_t>(i));
  }
  return drawn;
}

std::vector<int32_t> best_regions(const Tensor& weights) {
  std::vector<int32_t> best;
  const int64_t regions = weights.dim(1);
  for (int64_t r = 0; r < weights.dim(0); ++r) {
    int64_t most = 0;
    for (int64_t i = 1; i < regions; ++i) {
      if (weights.at(r * regions + i) > weights.at(r * regions + most)) most = i;
    }
    best.push_back(static_cast<int32_t>(most));
  }
  return best;
}

}  // namespace rondo
