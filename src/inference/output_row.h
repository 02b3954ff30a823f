// The output layer of a language model for one row at a time: its weights are kept turned, so that a row
// reads them as they stand. The numbers are those of SoftmaxOutput.
//   auto prepared = std::make_shared<const OutputWeights>(network);
//   OutputRow output(prepared, backend);  std::span<const float> scores = output.scores(h);   // [V]
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/language_network.h"

namespace rondo {

/// A copy of the output layer's weights: later changes of the parameters do not reach it.
struct OutputWeights {
  struct Tail {
    int64_t first, size;  ///< its ids: first .. first+size-1
    Tensor down, up;      ///< [P, d], [d, size]
  };

  explicit OutputWeights(const LanguageNetwork& network);

  int64_t vocabulary;
  int64_t shortlist;  ///< ids that the first weight scores: all without tails
  Tensor weight;      ///< [P, shortlist + tails]
  Tensor bias;        ///< [shortlist], or none
  std::vector<Tail> tails;
};

/// One thread uses it at a time. scores() of a full softmax allocates nothing.
class OutputRow {
 public:
  /// @param backend  must outlive it.
  OutputRow(std::shared_ptr<const OutputWeights> weights, Backend& backend);
  OutputRow(const OutputRow& other) : OutputRow(other.weights_, *other.backend_) {}
  OutputRow(OutputRow&&) noexcept = default;
  OutputRow& operator=(const OutputRow&) = delete;
  OutputRow& operator=(OutputRow&&) noexcept = default;

  /// Of all tokens, given the last layer's output [P]: logits, or log-probabilities of an adaptive softmax.
  /// There until the next call.
  std::span<const float> scores(std::span<const float> h);
  /// log p(id) by the last scores().
  float log_probability(int32_t id);
  /// Of all tokens by the last scores(); there until the next call.
  std::span<const float> probabilities();

 private:
  void score_tails(ConstMatrix h);
  /// x -= log sum exp(x).
  void normalize(Matrix x);

  std::shared_ptr<const OutputWeights> weights_;
  Backend* backend_;
  Tensor scores_, probabilities_;  ///< [1, V]
  Tensor head_, narrow_;           ///< adaptive: [1, shortlist + tails], [1, P/4]
  Tensor loss_;                    ///< [1, 1]
};

}  // namespace rondo
