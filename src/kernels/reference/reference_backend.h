// The readable twin of every kernel, and the oracle that other backends are tested against.
// Templated on the scalar inside: float, double, and complex<double>, which makes complex-step gradients
// exact to about 1e-15. The formulas stand in the .cc named after each method's noun.
//   auto backend = make_reference_backend();  backend->product({.a = a, .b = b, .c = c});
#pragma once

#include <memory>
#include <string>

#include "kernels/backend.h"

namespace rondo {

/// Every kernel, one scalar at a time, on the caller's thread. A faster backend derives from it and overrides
/// the kernels that it does better.
/// @throws ShapeError from every method whose operands disagree in type or shape: the message names the
/// kernel, what was wanted and what was given.
class ReferenceBackend : public Backend {
 public:
  /// @param threads  only for threads(); the kernels here run on the caller.
  explicit ReferenceBackend(int threads = 1) : threads_(threads) {}

  std::string name() const override { return "reference"; }
  ThreadPool& threads() override { return threads_; }

  void product(const Product& p) override;

  std::unique_ptr<PackedRecurrent> pack_recurrent(const CellKind& kind, const RecurrentWeights& weights,
                                                  Precision precision, ConstMatrix embedding,
                                                  bool streams) override;
  void recurrent_forward(const RecurrentForward& pass) override;
  void recurrent_backward(const RecurrentBackward& pass) override;

  void gather_rows(ConstMatrix table, std::span<const int32_t> ids, Matrix y) override;
  void scatter_add_rows(ConstMatrix d_y, std::span<const int32_t> ids, Matrix d_table) override;

  void copy(ConstMatrix x, Matrix y, bool accumulate) override;
  void multiply(ConstMatrix a, ConstMatrix b, Matrix y, bool accumulate) override;
  void scale(Matrix y, double factor) override;
  void fill(Matrix y, double value) override;
  void add_column_sums(ConstMatrix x, Matrix y) override;
  double sum_of_squares(ConstMatrix x) override;

  void activate(Activation kind, ConstMatrix x, Matrix y) override;
  void activate_backward(Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x) override;

  void dropout_mask(const Stream& stream, double probability, Matrix mask) override;

  void pool(Pool kind, const PackedRows& rows, ConstMatrix x, Matrix y, Matrix chosen) override;
  void pool_backward(Pool kind, const PackedRows& rows, ConstMatrix d_y, ConstMatrix chosen,
                     Matrix d_x) override;

  void attend(const PackedRows& rows, ConstMatrix scores, ConstMatrix x, Matrix weights, Matrix y) override;
  void attend_backward(const PackedRows& rows, ConstMatrix weights, ConstMatrix x, ConstMatrix d_y,
                       Matrix d_scores, Matrix d_x) override;

  void attention_forward(const AttentionForward& pass) override;
  void attention_backward(const AttentionBackward& pass) override;

  void softmax_cross_entropy(ConstMatrix logits, std::span<const int32_t> targets, Matrix probabilities,
                             Matrix losses) override;
  void softmax_cross_entropy_backward(ConstMatrix probabilities, std::span<const int32_t> targets,
                                      ConstMatrix d_losses, Matrix d_logits) override;
  void sigmoid_cross_entropy(ConstMatrix logits, ConstMatrix targets, Matrix probabilities,
                             Matrix losses) override;
  void sigmoid_cross_entropy_backward(ConstMatrix probabilities, ConstMatrix targets, ConstMatrix d_losses,
                                      Matrix d_logits) override;

  void crf_forward(const CrfForward& pass) override;
  void crf_backward(const CrfBackward& pass) override;
  void crf_decode(const CrfDecode& pass) override;

  void optimize(const OptimizerStep& step) override;

 private:
  ThreadPool threads_;
};

/// @param threads  only for threads(); the reference kernels run on the caller.
std::unique_ptr<Backend> make_reference_backend(int threads = 1);

}  // namespace rondo
