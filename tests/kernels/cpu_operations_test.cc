#include <bit>
#include <limits>

#include "kernels/cpu_targets.h"

namespace rondo {
namespace {

/// Distance in units in the last place of the exact value, rounded to float.
double ulps(float got, double exact) {
  const float rounded = static_cast<float>(exact);
  const double unit =
      std::nextafter(std::abs(rounded), std::numeric_limits<float>::infinity()) - std::abs(rounded);
  return std::abs(got - exact) / unit;
}

double sigmoid_exactly(double x) { return 1 / (1 + std::exp(-x)); }

/// The worst of `count` floats, spread over all exponents from 2^-20 up to `limit` and both signs.
template <class Exact>
double worst_ulps(Backend& backend, Activation kind, Exact exact, int64_t count, float limit) {
  Array<float> x(1, count), y(1, count);
  const Stream stream(5, {count > 0 ? 1ULL : 0ULL});
  for (int64_t i = 0; i < count; ++i) {
    const float size = i % 2 == 0 ? limit * stream.uniform(2 * i)
                                  : std::ldexp(1 + stream.uniform(2 * i),
                                               static_cast<int>(stream.bits(2 * i + 1) % 24) - 20);
    x(0, i) = (stream.bits(2 * i + 1) >> 31 ? 1.0F : -1.0F) * std::min(size, limit);
  }
  backend.activate(kind, x, y);
  double worst = 0;
  for (int64_t i = 0; i < count; ++i)
    worst = std::max(worst, ulps(y(0, i), exact(static_cast<double>(x(0, i)))));
  return worst;
}

TEST(CpuActivations, AreWithinTwoUnitsInTheLastPlace) {
  for_each_target(1, [](Backend& backend) {
    const int64_t count = cpu_target() == cpu_targets().front() ? 2'000'000 : 200'000;
    EXPECT_LE(worst_ulps(
                  backend, Activation::kTanh, [](double x) { return std::tanh(x); }, count, 20),
              2);
    EXPECT_LE(worst_ulps(backend, Activation::kSigmoid, sigmoid_exactly, count, 87), 2);
  });
}

TEST(CpuActivations, EndsAndWhatIsNoNumber) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for_each_target(1, [](Backend& backend) {
    Array<float> x(1, 7), y(1, 7);
    const float values[] = {0,     -0.0F, kInfinity, -kInfinity, std::numeric_limits<float>::quiet_NaN(),
                            1e30F, -1e30F};
    std::copy_n(values, 7, x.values.begin());
    backend.activate(Activation::kTanh, x, y);
    EXPECT_EQ(y(0, 0), 0);
    EXPECT_TRUE(std::signbit(y(0, 1)));
    EXPECT_EQ(y(0, 2), 1);
    EXPECT_EQ(y(0, 3), -1);
    EXPECT_TRUE(std::isnan(y(0, 4)));
    EXPECT_EQ(y(0, 5), 1);
    EXPECT_EQ(y(0, 6), -1);
    backend.activate(Activation::kSigmoid, x, y);
    EXPECT_EQ(y(0, 0), 0.5F);
    EXPECT_EQ(y(0, 2), 1);
    EXPECT_LT(y(0, 3), 1e-37F);
    EXPECT_TRUE(std::isnan(y(0, 4)));
    backend.activate(Activation::kRelu, x, y);
    EXPECT_EQ(y(0, 3), 0);
    EXPECT_EQ(y(0, 5), 1e30F);
  });
}

/// Runs `kernel` on the reference and on every target with 1 and 3 threads, over equal operands of a shape.
/// `tolerance` 0: the same bits.
template <class Kernel>
void compare(double tolerance, Kernel kernel) {
  ReferenceBackend reference;
  const auto three = make_cpu_backend(3);
  for (const auto& [rows, columns, padding] : {std::array<int64_t, 3>{1, 1, 0},
                                               {3, 5, 0},
                                               {7, 33, 2},
                                               {0, 4, 0},
                                               {4, 0, 1},
                                               {40, 64, 0},
                                               {900, 200, 5},
                                               {1500, 130, 0}}) {
    SCOPED_TRACE(testing::PrintToString(std::array{rows, columns, padding}));
    const Stream stream(6);
    const auto a = random_array<float>(stream.sub(0), rows, columns, 1, padding);
    const auto b = random_array<float>(stream.sub(1), rows, columns, 1, padding);
    const auto y = random_array<float>(stream.sub(2), rows, columns, 1, padding);
    Array<float> expected = y;
    kernel(reference, a, b, expected);
    for_each_target(1, [&](Backend& backend) {
      for (Backend* each : {&backend, three.get()}) {
        Array<float> got = y;
        kernel(*each, a, b, got);
        if (tolerance == 0) {
          EXPECT_TRUE(same_bits(got, expected));
        } else {
          EXPECT_LE(difference(got, expected), tolerance);
        }
        EXPECT_TRUE(got.padding_untouched());
      }
    });
  }
}

using A = Array<float>;

TEST(CpuOperations, CopiesProductsAndSumsHaveTheReferencesBits) {
  compare(0, [](Backend& k, const A& a, const A&, A& y) { k.copy(a, y, false); });
  compare(0, [](Backend& k, const A& a, const A&, A& y) { k.copy(a, y, true); });
  compare(0, [](Backend& k, const A& a, const A& b, A& y) { k.multiply(a, b, y, false); });
  compare(0, [](Backend& k, const A& a, const A& b, A& y) { k.multiply(a, b, y, true); });
  compare(0, [](Backend& k, const A& a, const A& b, A& y) {
    if (a.rows > 0) k.multiply(a, b.matrix().rows_at(0, 1), y, true);
  });
  compare(0, [](Backend& k, const A&, const A&, A& y) { k.scale(y, 0.3); });
  compare(0, [](Backend& k, const A&, const A&, A& y) { k.fill(y, 0.7); });
  compare(0, [](Backend& k, const A& a, const A&, A& y) {
    if (a.rows > 0) k.add_column_sums(a, y.matrix().rows_at(0, 1));
  });
}

TEST(CpuOperations, ActivationsAndTheirGradientsAreNearTheReference) {
  for (Activation kind : {Activation::kTanh, Activation::kRelu, Activation::kSigmoid}) {
    compare(1e-6, [&](Backend& k, const A& a, const A&, A& y) { k.activate(kind, a, y); });
    compare(1e-6, [&](Backend& k, const A& a, const A& b, A& y) { k.activate_backward(kind, a, b, y); });
  }
}

TEST(CpuOperations, DropoutMasksHaveTheReferencesBits) {
  for (double probability : {0.0, 1e-9, 0.3, 0.5, 1.0}) {
    compare(0, [&](Backend& k, const A&, const A&, A& y) { k.dropout_mask(Stream(7, {3}), probability, y); });
  }
  const auto cpu = make_cpu_backend(1);
  A mask(2, 2);
  EXPECT_THROW(cpu->dropout_mask(Stream(1), 1.5, mask), ConfigError);
}

TEST(CpuOperations, SumOfSquaresIsNearTheReferenceAndThreadsChangeNoBit) {
  ReferenceBackend reference;
  const auto three = make_cpu_backend(3);
  for (const auto& [rows, columns, padding] :
       {std::array<int64_t, 3>{1, 1, 0}, {0, 3, 0}, {7, 33, 2}, {900, 200, 5}, {1500, 130, 0}}) {
    const auto x = random_array<float>(Stream(8), rows, columns, 1, padding);
    const double expected = reference.sum_of_squares(x);
    for_each_target(1, [&](Backend& backend) {
      const double got = backend.sum_of_squares(x);
      EXPECT_NEAR(got, expected, 1e-12 * expected);
      EXPECT_EQ(got, three->sum_of_squares(x));
    });
  }
}

TEST(CpuOperations, RowsAreGatheredAndAddedInTheirOrder) {
  ReferenceBackend reference;
  const auto three = make_cpu_backend(3);
  for (const auto& [rows, columns] : {std::array<int64_t, 2>{0, 3}, {50, 5}, {3000, 70}}) {
    const Stream stream(9);
    std::vector<int32_t> ids(rows);
    for (int64_t r = 0; r < rows; ++r) ids[r] = static_cast<int32_t>(stream.below(r, 20));
    const auto table = random_array<float>(stream.sub(1), 20, columns);
    const auto d_y = random_array<float>(stream.sub(2), rows, columns);
    A y(rows, columns), d_table(20, columns);
    reference.gather_rows(table, ids, y);
    reference.scatter_add_rows(d_y, ids, d_table);
    for_each_target(1, [&](Backend& backend) {
      for (Backend* each : {&backend, three.get()}) {
        A got(rows, columns), d_got(20, columns);
        each->gather_rows(table, ids, got);
        each->scatter_add_rows(d_y, ids, d_got);
        EXPECT_TRUE(same_bits(got, y));
        EXPECT_TRUE(same_bits(d_got, d_table));
      }
    });
  }
  A table(2, 3), y(1, 3);
  EXPECT_THROW(three->gather_rows(table, std::vector<int32_t>{2}, y), ShapeError);
  EXPECT_THROW(three->scatter_add_rows(y, std::vector<int32_t>{-1}, table), ShapeError);
}

TEST(CpuOperations, PoolingHasTheReferencesBits) {
  ReferenceBackend reference;
  for (const LengthsCase& lengths : lengths_cases()) {
    SCOPED_TRACE(lengths.name);
    const Packing packing(lengths.lengths);
    const int64_t R = packing.num_rows(), N = packing.sequences();
    const auto x = random_array<float>(Stream(10), R, 35);
    const auto d_y = random_array<float>(Stream(11), N, 35);
    for (Pool kind : {Pool::kMean, Pool::kMax}) {
      A y(N, 35), d_x(R, 35);
      Array<int32_t> chosen(N, 35);
      reference.pool(kind, packing.rows(), x, y, chosen);
      reference.pool_backward(kind, packing.rows(), d_y, chosen, d_x);
      for_each_target(1, [&](Backend& backend) {
        A got(N, 35), d_got(R, 35);
        Array<int32_t> chosen_got(N, 35);
        backend.pool(kind, packing.rows(), x, got, chosen_got);
        backend.pool_backward(kind, packing.rows(), d_y, chosen_got, d_got);
        EXPECT_TRUE(same_bits(got, y));
        EXPECT_TRUE(same_bits(d_got, d_x));
        EXPECT_EQ(chosen_got.values, chosen.values);
      });
    }
  }
}

TEST(CpuOperations, SoftmaxAndItsGradientAreNearTheReference) {
  ReferenceBackend reference;
  const auto three = make_cpu_backend(3);
  for (const auto& [rows, columns] : {std::array<int64_t, 2>{0, 3}, {3, 1}, {5, 4}, {70, 33}, {300, 1000}}) {
    std::vector<int32_t> targets(rows);
    for (int64_t r = 0; r < rows; ++r) targets[r] = static_cast<int32_t>(Stream(12).below(r, columns));
    const auto logits = random_array<float>(Stream(13), rows, columns, 30);
    const auto d_losses = random_array<float>(Stream(14), 1, rows);
    A p(rows, columns), losses(1, rows), d_logits = random_array<float>(Stream(15), rows, columns);
    const A begun = d_logits;
    reference.softmax_cross_entropy(logits, targets, p, losses);
    reference.softmax_cross_entropy_backward(p, targets, d_losses, d_logits);
    for_each_target(1, [&](Backend& backend) {
      A alone(rows, columns);
      for (Backend* each : {&backend, three.get()}) {
        A got = logits, losses_got(1, rows), d_got = begun;  // probabilities overwrite the logits
        each->softmax_cross_entropy(got, targets, got, losses_got);
        EXPECT_LE(difference(got, p), 1e-6);
        EXPECT_LE(difference(losses_got, losses), 1e-6);
        each->softmax_cross_entropy_backward(got, targets, d_losses, d_got);
        EXPECT_LE(difference(d_got, d_logits), 1e-6);
        if (each == &backend) alone = got;
        EXPECT_TRUE(same_bits(got, alone));
      }
    });
  }
}

TEST(CpuOperations, SoftmaxOfEndsAndOfWhatIsNoNumber) {
  for_each_target(1, [&](Backend& backend) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    A logits(2, 3), p(2, 3), losses(1, 2);
    logits.values = {-kInfinity, 3, -200, 1, std::numeric_limits<float>::quiet_NaN(), 2, A::kPadding};
    backend.softmax_cross_entropy(logits, std::vector<int32_t>{1, 0}, p, losses);
    EXPECT_EQ(p(0, 0), 0);
    EXPECT_EQ(p(0, 1), 1);
    EXPECT_EQ(p(0, 2), 0);
    EXPECT_EQ(losses(0, 0), 0);
    EXPECT_TRUE(std::isnan(losses(0, 1)));
  });
}

TEST(CpuOperations, AttentionAndItsGradientAreNearTheReference) {
  ReferenceBackend reference;
  const auto three = make_cpu_backend(3);
  std::vector<LengthsCase> cases = lengths_cases();
  cases.push_back({"many", std::vector<int64_t>(90, 37)});
  for (const LengthsCase& lengths : cases) {
    SCOPED_TRACE(lengths.name);
    const Packing packing(lengths.lengths);
    const PackedRows rows = packing.rows();
    const int64_t R = packing.num_rows(), N = packing.sequences(), D = 67;
    const auto scores = random_array<float>(Stream(16), R, 1, 5);
    const auto x = random_array<float>(Stream(17), R, D), d_y = random_array<float>(Stream(18), N, D);
    A w(R, 1), y(N, D), d_scores(R, 1), d_x(R, D);
    reference.attend(rows, scores, x, w, y);
    reference.attend_backward(rows, w, x, d_y, d_scores, d_x);
    for_each_target(1, [&](Backend& backend) {
      for (Backend* each : {&backend, three.get()}) {
        A w_got(R, 1), y_got(N, D), d_scores_got(R, 1), d_x_got(R, D);
        each->attend(rows, scores, x, w_got, y_got);
        each->attend_backward(rows, w_got, x, d_y, d_scores_got, d_x_got);
        EXPECT_LE(difference(w_got, w), 1e-6);
        EXPECT_LE(difference(y_got, y), 1e-6);
        EXPECT_LE(difference(d_scores_got, d_scores), 1e-5);
        EXPECT_LE(difference(d_x_got, d_x), 1e-6);
      }
    });
  }
}

}  // namespace
}  // namespace rondo
