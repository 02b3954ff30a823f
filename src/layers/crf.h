// A linear-chain conditional random field as the output of a tagger: scores of labels become paths.
//   Crf crf(set, {.labels = 9}, CrfConstraints(TagScheme::kBio, names));
//   Variable losses = crf.loss(scores, targets, packing);        // [1, N]
//   std::vector<CrfPath> paths = crf.decode(scores, packing);    // in the caller's order
#pragma once

#include <vector>

#include "base/random.h"
#include "layers/crf_constraints.h"
#include "layers/initialize.h"
#include "tensor/packing.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

struct CrfShape {
  int64_t labels = 0;  ///< K
  DType type = DType::kFloat32;
};

/// Labels of one sequence. p(labels) = exp(score) / Z.
struct CrfPath {
  std::vector<int32_t> labels;
  double score = 0;
  double log_probability = 0;  ///< of n_best(); decode() leaves it 0
};

/// p(y | scores) = exp(s(y)) / Z,  s(y) = start[y_1] + sum of scores[t, y_t] + sum of transitions[y_{t-1},
/// y_t] + end[y_T]. A transition that the constraints forbid scores kForbiddenScore in the loss as in every
/// search, whatever its parameter is, and its parameter gets no gradient. Parameters (the names and sizes of
/// pytorch-crf) crf.transitions [K, K] from row to column, crf.start_transitions [K], crf.end_transitions
/// [K]. scores are [R, K] packed rows everywhere; an empty sequence has loss 0 and one path without labels.
/// Source: Lafferty et al. 2001; over a BiLSTM: Huang, Xu & Yu 2015.  Cost: R*K^2.
class Crf {
 public:
  static constexpr int64_t kMaxLabels = 4096;
  static constexpr int64_t kMaxPaths = 1000;
  /// @throws ConfigError unless labels is 1 to kMaxLabels, or if the constraints are of another number.
  Crf(ParameterSet& set, const CrfShape& shape, CrfConstraints constraints = {});

  /// torch: U(+-0.1), as pytorch-crf. keras: transitions Glorot-uniform, the others zero.
  void initialize(Initialization rule, const Stream& stream);

  /// -log p(targets) of each sequence -> [1, N], packed order.  targets [R], a label for each packed row.
  /// @throws ShapeError for another R or K; DataError for a label outside 0 .. K-1, or targets that the
  /// constraints forbid.
  Variable loss(const Variable& scores, std::vector<int32_t> targets, const Packing& packing) const;

  /// The path of the highest score of each sequence, in the caller's order.
  std::vector<CrfPath> decode(const Variable& scores, const Packing& packing) const;
  /// The `count` best paths of each sequence, the best first, in the caller's order; fewer where there are
  /// fewer. Paths that the constraints forbid are left out, unless a sequence has no other.
  /// @throws ConfigError unless count is 1 to kMaxPaths.
  std::vector<std::vector<CrfPath>> n_best(const Variable& scores, const Packing& packing,
                                           int64_t count) const;
  /// p(y_r = k) -> [R, K], packed rows.
  Tensor marginals(const Variable& scores, const Packing& packing) const;

  const CrfConstraints& constraints() const { return constraints_; }
  int64_t num_labels() const { return num_labels_; }

 private:
  /// The parameters with the constraints applied: weights = parameters * kept + forbidden.
  struct Mask {
    Tensor kept, forbidden;
  };
  struct Weights {
    Variable transitions, start, end;
  };
  void make_masks(DType type);
  Weights weights(Tape& tape) const;
  void check_scores(const Variable& scores, const Packing& packing) const;
  void check_targets(std::span<const int32_t> targets, const Packing& packing) const;
  std::vector<std::vector<CrfPath>> search(const Variable& scores, const Packing& packing,
                                           int64_t count) const;
  /// [1, N] in packed order: log Z - s(targets), without targets log Z; `alphas` out for the marginals.
  Tensor losses_of(const Variable& scores, const Packing& packing, const Tensor& alphas,
                   std::span<const int32_t> targets) const;

  int64_t num_labels_;
  CrfConstraints constraints_;
  Parameter &transitions_, &start_, &end_;
  Mask transition_mask_, start_mask_, end_mask_;  ///< empty without constraints
};

}  // namespace rondo
