// The backward kernel of every operation against the complex step through its forward kernel.
#include <gtest/gtest.h>

#include "gradients.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {
namespace {

class OperationGradient : public testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = make_reference_backend();
  Stream stream_{11};
};

TEST_F(OperationGradient, OfProductIsTwoProducts) {
  for (const ProductCase& shape : product_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    ProductOperands<double> real(shape, 1);
    ProductOperands<Complex> complex(shape, 1);
    const Array<double> d_c = random_array<double>(stream_, shape.m, shape.n);
    const Array<Complex> start = complex.c;
    Array<double> d_a(real.a.rows, real.a.columns), d_b(real.b.rows, real.b.columns), d_bias(1, shape.n);
    // d_op(a) = d_c op(b)^T and d_op(b) = op(a)^T d_c; transposed operands get the transposed product.
    const bool ta = shape.transpose_a, tb = shape.transpose_b;
    backend_->product(ta ? Product{real.b, d_c, d_a, {}, tb, true}
                         : Product{d_c, real.b, d_a, {}, false, !tb});
    backend_->product(tb ? Product{d_c, real.a, d_b, {}, true, ta}
                         : Product{real.a, d_c, d_b, {}, !ta, false});
    backend_->add_column_sums(d_c, d_bias);
    auto loss = [&] {
      complex.c = start;
      backend_->product(complex.product());
      return weighted_sum(complex.c, d_c);
    };
    expect_gradient("a", complex.a, d_a, loss);
    expect_gradient("b", complex.b, d_b, loss);
    expect_gradient("bias", complex.bias, d_bias, loss);
  }
}

TEST_F(OperationGradient, OfGatherIsScatter) {
  const std::vector<int32_t> ids = {2, 0, 2, 4};
  Twin table(stream_.sub(0), 5, 3);
  const Array<double> d_y = random_array<double>(stream_.sub(1), 4, 3);
  Array<double> d_table(5, 3);
  backend_->scatter_add_rows(d_y, ids, d_table);
  expect_gradient("table", table.complex, d_table, [&] {
    Array<Complex> y(4, 3);
    backend_->gather_rows(table.complex, ids, y);
    return weighted_sum(y, d_y);
  });
}

TEST_F(OperationGradient, OfActivations) {
  for (const Activation kind : {Activation::kTanh, Activation::kRelu, Activation::kSigmoid}) {
    Twin x(stream_.sub(0), 4, 5, 3);
    const Array<double> d_y = random_array<double>(stream_.sub(1), 4, 5);
    Array<double> y(4, 5), d_x(4, 5);
    backend_->activate(kind, x.real, y);
    backend_->activate_backward(kind, y, d_y, d_x);
    expect_gradient("x", x.complex, d_x, [&] {
      Array<Complex> z(4, 5);
      backend_->activate(kind, x.complex, z);
      return weighted_sum(z, d_y);
    });
  }
}

TEST_F(OperationGradient, OfMultiplication) {
  for (const int64_t rows : {1, 3}) {  // one row is used for every row of a
    Twin a(stream_.sub(0), 3, 4), b(stream_.sub(1), rows, 4);
    const Array<double> d_y = random_array<double>(stream_.sub(2), 3, 4);
    Array<double> d_a(3, 4), d_b(3, 4), d_b_sum(1, 4);
    backend_->multiply(d_y, b.real, d_a, true);
    backend_->multiply(d_y, a.real, d_b, true);
    backend_->add_column_sums(d_b, d_b_sum);
    auto loss = [&] {
      Array<Complex> y(3, 4);
      backend_->multiply(a.complex, b.complex, y, false);
      return weighted_sum(y, d_y);
    };
    expect_gradient("a", a.complex, d_a, loss);
    expect_gradient("b", b.complex, rows == 1 ? d_b_sum : d_b, loss);
  }
}

TEST_F(OperationGradient, OfPools) {
  for (const LengthsCase& lengths : lengths_cases()) {
    for (const Pool kind : {Pool::kMean, Pool::kMax}) {
      SCOPED_TRACE(lengths.name);
      const Packing packing(lengths.lengths);
      const int64_t R = packing.num_rows(), N = packing.sequences();
      Twin x(stream_.sub(0), R, 3);
      const Array<double> d_y = random_array<double>(stream_.sub(1), N, 3);
      Array<double> y(N, 3), d_x(R, 3);
      Array<int32_t> chosen(N, 3);
      backend_->pool(kind, packing.rows(), x.real, y, chosen);
      backend_->pool_backward(kind, packing.rows(), d_y, chosen, d_x);
      expect_gradient("x", x.complex, d_x, [&] {
        Array<Complex> z(N, 3);
        backend_->pool(kind, packing.rows(), x.complex, z, chosen);
        return weighted_sum(z, d_y);
      });
    }
  }
}

TEST_F(OperationGradient, OfAttention) {
  for (const LengthsCase& lengths : lengths_cases()) {
    SCOPED_TRACE(lengths.name);
    const Packing packing(lengths.lengths);
    const int64_t R = packing.num_rows(), N = packing.sequences();
    Twin x(stream_.sub(0), R, 3), scores(stream_.sub(1), R, 1, 2);
    const Array<double> d_y = random_array<double>(stream_.sub(2), N, 3);
    Array<double> y(N, 3), weights(R, 1), d_x(R, 3), d_scores(R, 1);
    backend_->attend(packing.rows(), scores.real, x.real, weights, y);
    backend_->attend_backward(packing.rows(), weights, x.real, d_y, d_scores, d_x);
    auto loss = [&] {
      Array<Complex> z(N, 3), w(R, 1);
      backend_->attend(packing.rows(), scores.complex, x.complex, w, z);
      return weighted_sum(z, d_y);
    };
    expect_gradient("x", x.complex, d_x, loss);
    expect_gradient("scores", scores.complex, d_scores, loss);
  }
}

TEST_F(OperationGradient, OfSoftmaxCrossEntropy) {
  const std::vector<int32_t> targets = {3, 0, 1};
  Twin logits(stream_.sub(0), 3, 4, 4);
  const Array<double> d_losses = random_array<double>(stream_.sub(1), 1, 3);
  Array<double> probabilities(3, 4), d_logits(3, 4);
  backend_->softmax_cross_entropy(logits.real, targets, probabilities, {});
  backend_->softmax_cross_entropy_backward(probabilities, targets, d_losses, d_logits);
  expect_gradient("logits", logits.complex, d_logits, [&] {
    Array<Complex> p(3, 4), losses(1, 3);
    backend_->softmax_cross_entropy(logits.complex, targets, p, losses);
    return weighted_sum(losses, d_losses);
  });
}

TEST_F(OperationGradient, OfSigmoidCrossEntropy) {
  Twin logits(stream_.sub(0), 3, 4, 4), targets(stream_.sub(1), 3, 4);
  for (int64_t i = 0; i < targets.real.size(); ++i) {
    targets.real.values[i] = targets.real.values[i] > 0 ? 1 : 0;
    targets.complex.values[i] = targets.real.values[i];
  }
  const Array<double> d_losses = random_array<double>(stream_.sub(2), 1, 3);
  Array<double> probabilities(3, 4), d_logits(3, 4);
  backend_->sigmoid_cross_entropy(logits.real, {}, probabilities, {});
  backend_->sigmoid_cross_entropy_backward(probabilities, targets.real, d_losses, d_logits);
  expect_gradient("logits", logits.complex, d_logits, [&] {
    Array<Complex> p(3, 4), losses(1, 3);
    backend_->sigmoid_cross_entropy(logits.complex, targets.complex, p, losses);
    return weighted_sum(losses, d_losses);
  });
}

}  // namespace
}  // namespace rondo
