// Beam search over anything that tells the probability of a next token, many sentences at once.
//   std::vector<std::vector<Hypothesis>> found = beam_search(model, {.beam = 5, .alpha = 0.6});
//   found[0][0].ids;   // the best translation of sentence 0, without its end
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/options.h"
#include "tensor/tensor.h"

namespace rondo {

struct SearchStep {
  Tensor log_probabilities;  ///< [N, V]
  Tensor attention;          ///< [N, S]: where each row looked, S at least its source's length; or empty
};

/// Hypotheses as rows. Before the first step row i is sentence i with no token. What a row gives must not
/// depend on the rows beside it.
class SearchModel {
 public:
  virtual ~SearchModel() = default;

  virtual int64_t sentences() const = 0;
  virtual int64_t source_length(int64_t sentence) const = 0;
  virtual int64_t vocabulary() const = 0;
  /// The token that ends a sentence, and that the first token is predicted from.
  virtual int32_t end() const = 0;

  /// What comes next in each row, whose last token was previous[row].
  virtual SearchStep step(std::span<const int32_t> previous) = 0;
  /// Row i of the next step goes on from row rows[i] of the last one; a row may be taken several times.
  virtual void select(std::span<const int32_t> rows) = 0;
};

struct BeamOptions {
  static constexpr int64_t kMostHypotheses = 1000;

  int64_t beam = 5;
  double alpha = 0.6;
  double coverage = 0;
  int64_t n_best = 1;
  int64_t min_length = 0;
  double max_ratio = 2;
  int64_t max_extra = 10;
  bool keep_attention = false;     // no option: whether Hypothesis::attention is wanted
  std::vector<int32_t> forbidden;  // no option: tokens that are never written

  template <class Visitor>
  void visit(Visitor& v) {
    v("beam", beam, "hypotheses of each sentence that are followed; 1 is greedy", Range{1, kMostHypotheses});
    v("alpha", alpha,
      "length normalisation: a score is the log-probability over ((5 + tokens) / 6)^alpha; 0: none",
      Range{0, 10});
    v("coverage", coverage,
      "weight of the penalty for source tokens that got little attention: the sum of log(min(attention, 1))",
      Range{0, 100});
    v("n-best", n_best, "translations of each sentence, the best first; at most --beam",
      Range{1, kMostHypotheses});
    v("min-length", min_length, "tokens at least, as far as --max-ratio and --max-extra let them be",
      Range{0, 1e6});
    v("max-ratio", max_ratio, "tokens at most: this times the source's tokens, plus --max-extra",
      Range{0, 1000});
    v("max-extra", max_extra, "tokens at most, whatever the source's length is: see --max-ratio",
      Range{1, 1e6});
  }

  /// @throws ConfigError for options that contradict each other.
  void check() const;
  /// Tokens that a translation of so many source tokens may have.
  int64_t max_length(int64_t source_length) const;
};

struct Hypothesis {
  std::vector<int32_t> ids;      ///< without the end
  double log_probability = 0;    ///< of the ids and the end, natural logarithm
  double score = 0;              ///< log_probability / length_penalty + coverage penalty
  std::vector<float> attention;  ///< [ids + 1, source length] if kept; the last row is the end's
  bool ended = true;             ///< false: no token was possible any more, and there is no end
};

/// A continuation that a step kept.
struct BeamChoice {
  int32_t parent = 0;  ///< place among the hypotheses that went on before
  int32_t token = 0;
  double log_probability = 0;  ///< of all tokens so far
  double score = 0;            ///< that over length_penalty(tokens so far)
  bool ended = false;          ///< it is finished; the others go on, in this order
};
/// Sees what each step kept of a sentence, the best first.
using BeamObserver = std::function<void(int64_t sentence, std::span<const BeamChoice> kept)>;

/// ((5 + tokens) / 6)^alpha. @param tokens  the end included.
double length_penalty(int64_t tokens, double alpha);

/// weight * sum over source tokens of log(min(attention that it got, 1)): 0 if each got 1 at least. A source
/// token without any attention counts as one that got 1e-6. @param attention  [rows, source].
double coverage_penalty(std::span<const float> attention, int64_t source_length, double weight);

/// The n_best best finished hypotheses of each sentence, the best first (fewer if there are no more).
///
/// A step takes, of all continuations of a sentence's hypotheses, the `beam` most probable. Those that end
/// are finished and kept apart, the others go on. A sentence is done when nothing goes on, or when no
/// hypothesis that goes on can pass the worst of n_best finished ones any more: log p /
/// length_penalty(longest) bounds its score from above, for log p only falls, the length penalty only grows
/// and coverage is at most 0. At the greatest length the end is the only continuation. Ties go to the better
/// parent, then to the smaller id, then to who finished first. Sentences do not see each other: any company
/// gives the same bits.
///
/// Source: Wu et al. 2016 (GNMT), section 7, whose scores these are.
std::vector<std::vector<Hypothesis>> beam_search(SearchModel& model, const BeamOptions& options,
                                                 const BeamObserver& observer = {});

}  // namespace rondo
