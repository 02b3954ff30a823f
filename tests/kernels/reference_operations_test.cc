// Every kernel but the recurrent ones, where the answer is known.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "cases.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;

template <class T>
Array<T> array_of(const std::vector<std::vector<T>>& rows) {
  Array<T> array(static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows.at(0).size()));
  for (int64_t r = 0; r < array.rows; ++r) {
    for (int64_t c = 0; c < array.columns; ++c) array(r, c) = rows[r][c];
  }
  return array;
}

template <class T>
std::vector<T> row_of(const Array<T>& array, int64_t r) {
  return {&array(r, 0), &array(r, 0) + array.columns};
}

class Kernel : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  Stream stream_{5};
};

TEST_F(Kernel, ProductIsOneChainOfFusedMultiplyAdds) {
  for (const ProductCase& shape : product_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    ProductOperands<float> o(shape, 1);
    const Array<float> start = o.c;
    backend_->product(o.product());
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        float want = shape.accumulate ? start(i, j) : shape.bias ? o.bias(0, j) : 0.0F;
        for (int64_t k = 0; k < shape.k; ++k) {
          want = std::fma(shape.transpose_a ? o.a(k, i) : o.a(i, k),
                          shape.transpose_b ? o.b(j, k) : o.b(k, j), want);
        }
        EXPECT_EQ(o.c(i, j), want);
      }
    }
    EXPECT_TRUE(o.c.padding_untouched());
  }
}

TEST_F(Kernel, ProductRefusesWhatDoesNotFit) {
  Array<float> a(2, 3), b(4, 3), c(2, 4), bias(1, 4);
  Array<double> wrong_type(2, 4);
  EXPECT_NO_THROW(backend_->product({.a = a, .b = b, .c = c, .bias = {}, .transpose_b = true}));
  EXPECT_THROW(backend_->product({.a = a, .b = b, .c = c, .bias = {}}), ShapeError);
  EXPECT_THROW(backend_->product({.a = a, .b = b, .c = wrong_type, .bias = {}, .transpose_b = true}),
               ShapeError);
  EXPECT_THROW(backend_->product({.a = a, .b = b, .c = {}, .bias = {}, .transpose_b = true}), ShapeError);
  EXPECT_THROW(
      backend_->product({.a = a, .b = b, .c = c, .bias = bias, .transpose_b = true, .accumulate = true}),
      ShapeError);
}

TEST_F(Kernel, IdsOutsideTheTableAreRefused) {
  Array<float> table(3, 2), y(1, 2);
  for (const int32_t id : {-1, 3, std::numeric_limits<int32_t>::max()}) {
    const std::vector<int32_t> ids = {id};
    EXPECT_THROW(backend_->gather_rows(table, ids, y), ShapeError);
    EXPECT_THROW(backend_->scatter_add_rows(y, ids, table), ShapeError);
  }
}

TEST_F(Kernel, CopyAndMultiplyAccumulateOnRequest) {
  const Array<double> x = array_of<double>({{1, 2}, {3, 4}}), row = array_of<double>({{10, 100}});
  Array<double> y = array_of<double>({{5, 5}, {5, 5}});
  backend_->copy(x, y, true);
  EXPECT_THAT(row_of(y, 1), ElementsAre(8, 9));
  backend_->copy(x, y, false);
  EXPECT_THAT(row_of(y, 1), ElementsAre(3, 4));
  backend_->multiply(x, row, y, true);
  EXPECT_THAT(row_of(y, 1), ElementsAre(33, 404));
  backend_->multiply(x, row, y, false);
  EXPECT_THAT(row_of(y, 0), ElementsAre(10, 200));
  backend_->scale(y, 0.5);
  EXPECT_THAT(row_of(y, 1), ElementsAre(15, 200));
  backend_->add_column_sums(x, y.matrix().rows_at(0, 1));
  EXPECT_THAT(row_of(y, 0), ElementsAre(9, 106));
}

TEST_F(Kernel, CopyAndFillTakeWholeNumbers) {
  Array<int32_t> a(2, 3), b(2, 3, 1);
  backend_->fill(a, 7);
  backend_->copy(a, b, false);
  EXPECT_THAT(row_of(b, 1), ElementsAre(7, 7, 7));
  EXPECT_TRUE(b.padding_untouched());
  EXPECT_THROW(backend_->scale(a, 2), ShapeError);
}

TEST_F(Kernel, SumOfSquaresAddsBlocksOf4096) {
  const Array<float> x = random_array<float>(stream_, 300, 41, 1, 3);  // 12,300 elements, padded rows
  double want = 0, block = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    const double value = x(i / 41, i % 41);
    block += value * value;
    if (i % 4096 == 4095 || i == x.size() - 1) {
      want += block;
      block = 0;
    }
  }
  EXPECT_EQ(backend_->sum_of_squares(x), want);
  EXPECT_EQ(backend_->sum_of_squares(Array<float>(0, 4)), 0);
}

TEST_F(Kernel, ActivationsAreStableFarOut) {
  const Array<double> x = array_of<double>({{-1000, -1, 0, 1, 1000}});
  Array<double> y(1, 5);
  backend_->activate(Activation::kSigmoid, x, y);
  EXPECT_THAT(row_of(y, 0),
              ElementsAre(0, DoubleEq(1 / (1 + std::exp(1))), 0.5, DoubleEq(1 / (1 + std::exp(-1))), 1));
  backend_->activate(Activation::kTanh, x, y);
  EXPECT_THAT(row_of(y, 0), ElementsAre(-1, std::tanh(-1.0), 0, std::tanh(1.0), 1));
  backend_->activate(Activation::kRelu, x, y);
  EXPECT_THAT(row_of(y, 0), ElementsAre(0, 0, 0, 1, 1000));
}

TEST_F(Kernel, ComplexActivationsAreTheRealOnesOnTheRealLine) {
  using Complex = std::complex<double>;
  const Array<double> x = array_of<double>({{-800, -3, -1e-9, 0, 1e-9, 3, 800}});
  Array<Complex> z(1, 7), w(1, 7);
  for (int64_t c = 0; c < 7; ++c) z(0, c) = x(0, c);
  for (const Activation kind : {Activation::kTanh, Activation::kSigmoid, Activation::kRelu}) {
    Array<double> y(1, 7);
    backend_->activate(kind, x, y);
    backend_->activate(kind, z, w);
    for (int64_t c = 0; c < 7; ++c) EXPECT_NEAR(w(0, c).real(), y(0, c), 1e-15) << x(0, c);
  }
}

TEST_F(Kernel, DropoutKeepsTheMeanAndIsTheSameInEveryType) {
  constexpr double kProbability = 0.3;
  Array<float> single(200, 50, 3);
  Array<double> twice(200, 50);
  Array<std::complex<double>> complex(200, 50);
  backend_->dropout_mask(stream_, kProbability, single);
  backend_->dropout_mask(stream_, kProbability, twice);
  backend_->dropout_mask(stream_, kProbability, complex);
  double sum = 0;
  for (int64_t r = 0; r < 200; ++r) {
    for (int64_t c = 0; c < 50; ++c) {
      const bool kept = stream_.uniform(r * 50 + c) >= kProbability;
      ASSERT_EQ(single(r, c), kept ? static_cast<float>(1 / (1 - kProbability)) : 0.0F);
      ASSERT_EQ(static_cast<double>(single(r, c)), twice(r, c));
      ASSERT_EQ(complex(r, c), twice(r, c));
      sum += twice(r, c);
    }
  }
  EXPECT_NEAR(sum / 10000, 1, 0.03);  // a standard deviation is sqrt(.3/.7)/100 = .0065
  EXPECT_TRUE(single.padding_untouched());
}

TEST_F(Kernel, DropoutOfNothingAndOfEverything) {
  Array<float> mask(3, 4);
  backend_->dropout_mask(stream_, 0, mask);
  EXPECT_THAT(row_of(mask, 2), ElementsAre(1, 1, 1, 1));
  backend_->dropout_mask(stream_, 1, mask);
  EXPECT_THAT(row_of(mask, 2), ElementsAre(0, 0, 0, 0));
  EXPECT_THROW(backend_->dropout_mask(stream_, 1.5, mask), ConfigError);
  EXPECT_THROW(backend_->dropout_mask(stream_, std::nan(""), mask), ConfigError);
}

TEST_F(Kernel, PoolsTakeEachSequencesOwnRows) {
  const Packing packing(std::vector<int64_t>{3, 1, 0});
  // Packed rows of a (three steps) and b (one): a0 b0 a1 a2.
  const Array<double> x = array_of<double>({{1, 5}, {-7, -8}, {4, 5}, {1, 2}});
  Array<double> y(3, 2);
  Array<int32_t> chosen(3, 2);
  backend_->pool(Pool::kMean, packing.rows(), x, y, {});
  EXPECT_THAT(row_of(y, 0), ElementsAre(2, 4));
  EXPECT_THAT(row_of(y, 1), ElementsAre(-7, -8));
  EXPECT_THAT(row_of(y, 2), ElementsAre(0, 0));
  backend_->pool(Pool::kMax, packing.rows(), x, y, chosen);
  EXPECT_THAT(row_of(y, 0), ElementsAre(4, 5));
  EXPECT_THAT(row_of(y, 1), ElementsAre(-7, -8));
  EXPECT_THAT(row_of(y, 2), ElementsAre(0, 0));
  EXPECT_THAT(row_of(chosen, 0), ElementsAre(2, 0));  // of two equal values the first
  EXPECT_THAT(row_of(chosen, 2), ElementsAre(-1, -1));
}

TEST_F(Kernel, AttentionSumsToOneAndIgnoresOtherSequences) {
  const Packing packing(std::vector<int64_t>{2, 1, 0});
  const Array<double> x = array_of<double>({{1, 0}, {5, 6}, {0, 1}});
  const Array<double> scores = array_of<double>({{1000}, {-1000}, {1000 + std::log(3)}});
  Array<double> weights(3, 1), y(3, 2);
  backend_->attend(packing.rows(), scores, x, weights, y);
  EXPECT_NEAR(weights(0, 0), 0.25, 1e-12);
  EXPECT_NEAR(weights(2, 0), 0.75, 1e-12);
  EXPECT_EQ(weights(1, 0), 1);
  EXPECT_NEAR(y(0, 1), 0.75, 1e-12);
  EXPECT_THAT(row_of(y, 1), ElementsAre(5, 6));
  EXPECT_THAT(row_of(y, 2), ElementsAre(0, 0));
}

TEST_F(Kernel, SoftmaxIsStableAtLogitsOfAThousand) {
  const Array<float> logits = array_of<float>({{1000, -1000, 0}, {-1000, -1000, -1000}});
  const std::vector<int32_t> targets = {1, 2};
  Array<float> probabilities(2, 3), losses(1, 2);
  backend_->softmax_cross_entropy(logits, targets, probabilities, losses);
  EXPECT_THAT(row_of(probabilities, 0), ElementsAre(1, 0, 0));
  EXPECT_FLOAT_EQ(losses(0, 0), 2000);
  EXPECT_FLOAT_EQ(losses(0, 1), std::log(3.0F));
}

TEST_F(Kernel, SoftmaxSumsToOneAndItsGradientToZero) {
  const Array<double> logits = random_array<double>(stream_, 4, 7, 5);
  const std::vector<int32_t> targets = {0, 6, 3, 3};
  Array<double> probabilities(4, 7), losses(1, 4), d_logits(4, 7);
  const Array<double> d_losses = random_array<double>(stream_.sub(1), 1, 4);
  backend_->softmax_cross_entropy(logits, targets, probabilities, losses);
  backend_->softmax_cross_entropy_backward(probabilities, targets, d_losses, d_logits);
  for (int64_t n = 0; n < 4; ++n) {
    double sum = 0, gradient = 0;
    for (int64_t k = 0; k < 7; ++k) {
      sum += probabilities(n, k);
      gradient += d_logits(n, k);
    }
    EXPECT_NEAR(sum, 1, 1e-15);
    EXPECT_NEAR(gradient, 0, 1e-15);
    EXPECT_NEAR(losses(0, n), -std::log(probabilities(n, targets[n])), 1e-12);
  }
}

TEST_F(Kernel, SoftmaxNeedsNoTargetsForProbabilities) {
  const Array<double> logits(2, 4);
  Array<double> probabilities(2, 4), losses(1, 2);
  backend_->softmax_cross_entropy(logits, {}, probabilities, {});
  EXPECT_THAT(row_of(probabilities, 1), ElementsAre(0.25, 0.25, 0.25, 0.25));
  EXPECT_THROW(backend_->softmax_cross_entropy(logits, {}, probabilities, losses), ShapeError);
  const std::vector<int32_t> outside = {0, 4};
  EXPECT_THROW(backend_->softmax_cross_entropy(logits, outside, probabilities, losses), ShapeError);
}

TEST_F(Kernel, SigmoidCrossEntropyIsStableAtLogitsOfAThousand) {
  const Array<float> logits = array_of<float>({{1000, -1000}, {1000, -1000}, {0, 0}});
  const Array<float> targets = array_of<float>({{1, 0}, {0, 1}, {1, 0}});
  Array<float> probabilities(3, 2), losses(1, 3);
  backend_->sigmoid_cross_entropy(logits, targets, probabilities, losses);
  EXPECT_THAT(row_of(probabilities, 0), ElementsAre(1, 0));
  EXPECT_EQ(losses(0, 0), 0);
  EXPECT_FLOAT_EQ(losses(0, 1), 2000);
  EXPECT_FLOAT_EQ(losses(0, 2), 2 * std::log(2.0F));
}

}  // namespace
}  // namespace rondo
