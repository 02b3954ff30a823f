// The next token from the numbers that a model gives to all of them.
//   Sampler sampler({.temperature = 0.8, .top_k = 40}, vocabulary.size(), Stream(seed, {sample}));
//   int32_t id = sampler.next(logits, ids_so_far, step);
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/options.h"
#include "base/random.h"

namespace rondo {

/// How the next token is drawn. The order is that of the fields: penalty, temperature, top-k, top-p, draw.
struct SamplingOptions {
  double repetition_penalty = 1;
  int64_t repetition_window = 64;
  double temperature = 1;
  int64_t top_k = 0;
  double top_p = 1;
  bool greedy = false;
  bool allow_unknown = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("temperature", temperature, "divides the logits: below 1 the probable becomes more probable",
      Range{0, 1e6});
    v("top-k", top_k, "draw among the k most probable tokens; 0: among all", Range{0, 1e9});
    v("top-p", top_p, "draw among the fewest tokens whose probabilities reach p", Range{0, 1});
    v("repetition-penalty", repetition_penalty, "above 1: what was written lately becomes less probable",
      Range{1e-6, 1e6});
    v("repetition-window", repetition_window, "tokens back that the penalty looks; 0: all", Range{0, 1e9});
    v("greedy", greedy, "always the most probable token");
    v("allow-unknown", allow_unknown, "the unknown word may be drawn, too");
  }
  /// @throws ConfigError for a number out of range, or an option that has no effect beside the others.
  void check() const;
};

/// Draws tokens, one a step, from one stream of random numbers: the same options, stream and logits give the
/// same tokens. One thread uses it at a time; next() allocates nothing.
class Sampler {
 public:
  /// @throws ConfigError from SamplingOptions::check().
  Sampler(const SamplingOptions& options, int64_t vocabulary, const Stream& stream);

  /// @param scores  [V] logits or log-probabilities: what is added to all of them changes nothing without a
  ///   repetition penalty.
  /// @param written  the ids so far; the penalty looks at the last repetition-window of them.
  /// @param step  the index of the random number.
  /// Ties go to the smaller id. @throws ShapeError for another V; DataError if no token that may be drawn has
  /// a finite score. Source: temperature, Ackley et al. 1985; top-k, Fan et al. 2018; top-p (nucleus),
  /// Holtzman et al. 2020. Cost: O(V), and k log k with top-k or top-p that keep k tokens.
  int32_t next(std::span<const float> scores, std::span<const int32_t> written, uint64_t step);

  /// From now on this id is never drawn.
  /// @throws ShapeError if the vocabulary has no such id.
  void forbid(int32_t id);

  /// What the last next() drew from: the tokens, and their probabilities, which sum to 1 but for rounding.
  /// By falling probability with top-k, top-p or greedy, else by id.
  std::span<const int32_t> candidates() const { return candidates_; }
  std::span<const double> probabilities() const { return weights_; }

 private:
  void take_scores(std::span<const float> scores);
  void penalize(std::span<const int32_t> written);
  void keep_best(size_t count);
  void keep_nucleus();
  void sort_best(size_t begin, size_t end);
  double weigh();
  float exponential(int32_t id, float most) const;
  float largest_score() const;
  int32_t draw(float uniform) const;

  SamplingOptions options_;
  Stream stream_;
  std::vector<int32_t> forbidden_;
  std::vector<float> scores_;        ///< [V], penalised
  std::vector<int32_t> candidates_;  ///< of finite score
  std::vector<double> weights_;      ///< beside candidates_
  std::vector<uint64_t> penalized_;  ///< [V] the call in which an id was penalised last
  uint64_t call_ = 0;
};

}  // namespace rondo
