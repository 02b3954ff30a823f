// The one seam to the hardware: everything above kernels/ calls a Backend.
// Each method is one kernel over plain views; the reference backend is its definition, every other backend is
// tested against it over one table of cases (tests/kernels/cases.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/random.h"
#include "base/threads.h"
#include "kernels/array.h"
#include "kernels/attention.h"
#include "kernels/crf.h"
#include "kernels/optimizer.h"
#include "kernels/packed_rows.h"
#include "kernels/recurrent.h"

namespace rondo {

/// c = op(a) op(b) + bias, or added to c. op transposes where asked.
/// Order of sums (promise 2): each c[i,j] is one chain of fused multiply-adds over k = 0, 1, 2, ...; it
/// begins with the bias, with c when accumulating, or with zero. Cost: 2*m*n*k operations.
struct Product {
  ConstMatrix a;     ///< [m, k], or [k, m] with transpose_a
  ConstMatrix b;     ///< [k, n], or [n, k] with transpose_b
  Matrix c;          ///< [m, n]
  ConstMatrix bias;  ///< [1, n], or empty
  bool transpose_a = false;
  bool transpose_b = false;
  bool accumulate = false;
  Precision precision =
      Precision::kFloat32;  ///< kBfloat16 sums pairs of k: the odd one, then the even one; kInt8 is refused
};

enum class Activation { kTanh, kRelu, kSigmoid };
enum class Pool { kMean, kMax };

class Backend {
 public:
  virtual ~Backend() = default;
  /// "reference", "cpu AVX3", ...
  virtual std::string name() const = 0;
  /// The pool that its kernels use.
  virtual ThreadPool& threads() = 0;

  virtual void product(const Product& p) = 0;

  /// Weights for many forward passes of this precision. With `embedding` [V, D] they hold the table
  /// W embedding + b of all inputs [V, S*H] too, whose rows have the bits of the product.
  /// @param streams  they will meet one to three sequences at a time; else many. Changes speed alone.
  /// Null where a backend has nothing to prepare. @throws ShapeError as recurrent_forward.
  virtual std::unique_ptr<PackedRecurrent> pack_recurrent(const CellKind& kind,
                                                          const RecurrentWeights& weights,
                                                          Precision precision, ConstMatrix embedding,
                                                          bool streams = false) = 0;
  virtual void recurrent_forward(const RecurrentForward& pass) = 0;
  virtual void recurrent_backward(const RecurrentBackward& pass) = 0;

  /// y[r] = table[ids[r]].  table [V, D], y [R, D].
  virtual void gather_rows(ConstMatrix table, std::span<const int32_t> ids, Matrix y) = 0;
  /// d_table[ids[r]] += d_y[r], r = 0, 1, 2, ... in this order for each row of the table.
  virtual void scatter_add_rows(ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table) = 0;

  /// y = x, or y += x where `accumulate`; strides may differ.
  virtual void copy(ConstMatrix x, Matrix y, bool accumulate) = 0;
  /// y = a*b elementwise, or added to y. A `b` of one row is used for every row of a.
  virtual void multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) = 0;
  virtual void scale(Matrix y, double factor) = 0;
  virtual void fill(Matrix y, double value) = 0;
  /// y[0, j] += sum over rows of x[r, j], r = 0, 1, 2, ... (the gradient of a bias).
  virtual void add_column_sums(ConstMatrix x, Matrix y) = 0;
  /// Sum of squares in double, in fixed blocks of 4,096 elements in a fixed order.
  virtual double sum_of_squares(ConstMatrix x) = 0;

  virtual void activate(Activation kind, ConstMatrix x, Matrix y) = 0;
  /// d_x += d_y * y'(x), written with y alone: tanh 1-y^2, sigmoid y(1-y), relu y>0.
  virtual void activate_backward(Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x) = 0;

  /// Inverted dropout: mask[r,c] = 0 with `probability`, else 1/(1-probability); number r*columns + c of
  /// `stream` decides (kept where uniform >= probability). The same for every scalar type.
  virtual void dropout_mask(const Stream& stream, double probability, Matrix mask) = 0;

  /// y[n] = mean or maximum over the rows of sequence n, steps in order; an empty sequence gives zeros.
  /// @param chosen  [N, D] int32 out for kMax: the row taken, -1 for an empty sequence; empty for kMean.
  virtual void pool(Pool kind, const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen) = 0;
  /// d_x += the gradient.
  virtual void pool_backward(Pool kind, const PackedRows& rows, ConstMatrix d_y, ConstMatrix chosen,
                             Matrix d_x) = 0;

  /// Attention of each sequence over its own rows: weights = softmax of scores over the sequence's rows, y[n]
  /// = sum of weights[r] * x[r].  scores, weights [R, 1]; x [R, D]; y [N, D]; an empty sequence gives zeros.
  virtual void attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights,
                      Matrix y) = 0;
  /// d_scores and d_x are added to; either may be empty.
  virtual void attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x, ConstMatrix d_y,
                               Matrix d_scores, Matrix d_x) = 0;

  /// Attention of queries over the rows of sequences; attention.h says what the operands are. No result
  /// depends on the number of threads, and those of a query not on the others.
  virtual void attention_forward(const AttentionForward& pass) = 0;
  virtual void attention_backward(const AttentionBackward& pass) = 0;

  /// probabilities[n] = softmax(logits[n]), maximum subtracted; losses[n] = -log probabilities[n,
  /// targets[n]]. logits, probabilities [N, K]; losses [1, N], or empty when only probabilities are wanted
  /// (targets may then be empty).
  virtual void softmax_cross_entropy(ConstMatrix logits, std::span<const int32_t> targets,
                                     Matrix probabilities, Matrix losses) = 0;
  /// d_logits[n,k] += d_losses[n] * (probabilities[n,k] - [k == targets[n]]).
  virtual void softmax_cross_entropy_backward(ConstMatrix probabilities, std::span<const int32_t> targets,
                                              ConstMatrix d_losses, Matrix d_logits) = 0;
  /// Several labels a text: probabilities = sigmoid(logits); losses[n] = sum over k of the binary
  /// cross-entropy with targets[n,k] in {0, 1} (stable form max(x,0) - x*t + log(1+exp(-|x|))). losses and
  /// targets may be empty as above.
  virtual void sigmoid_cross_entropy(ConstMatrix logits, ConstMatrix targets, Matrix probabilities,
                                     Matrix losses) = 0;
  /// d_logits[n,k] += d_losses[n] * (probabilities[n,k] - targets[n,k]).
  virtual void sigmoid_cross_entropy_backward(ConstMatrix probabilities, ConstMatrix targets,
                                              ConstMatrix d_losses, Matrix d_logits) = 0;

  /// A linear-chain CRF; crf.h says what the operands are. No result depends on the number of threads, and
  /// the losses and paths of a sequence not on the others.
  virtual void crf_forward(const CrfForward& pass) = 0;
  virtual void crf_backward(const CrfBackward& pass) = 0;
  virtual void crf_decode(const CrfDecode& pass) = 0;

  virtual void optimize(const OptimizerStep& step) = 0;
  /// Brings rows of a table up to date: the same bits as optimize() with a gradient of zeros, once a missed
  /// step, which is what it does where a backend has nothing faster.
  virtual void catch_up(const OptimizerCatchUp& missed);
};

}  // namespace rondo
