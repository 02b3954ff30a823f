// A CRF's operands of one shape, and every path of a short sequence written out.
//   CrfOperands<double> crf({.labels = 3, .lengths = {3, 0, 5}}, 1);  backend->crf_forward(crf.forward());
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cases.h"

namespace rondo {

struct CrfCase {
  int64_t labels = 3;
  std::vector<int64_t> lengths = {3, 0, 5, 1};
  float scale = 1;      ///< of scores and weights
  int64_t padding = 0;  ///< unused columns of all matrices
  int64_t best = 1;     ///< paths
};

inline std::ostream& operator<<(std::ostream& out, const CrfCase& c) {
  return out << "K" << c.labels << "_N" << c.lengths.size() << "_x" << c.scale;
}

template <class T>
struct CrfOperands {
  CrfCase shape;
  Packing packing;
  Array<T> scores, transitions, start, end, alphas, losses, d_losses;
  Array<T> d_scores, d_transitions, d_start, d_end;
  Array<int32_t> labels;
  Array<double> path_scores;
  std::vector<int32_t> targets;

  CrfOperands(const CrfCase& shape_, uint64_t seed) : shape(shape_), packing(shape_.lengths) {
    const Stream stream(seed, {0x637266});
    const int64_t R = packing.num_rows(), N = packing.sequences(), K = shape.labels, P = shape.padding;
    scores = random_array<T>(stream.sub(0), R, K, shape.scale, P);
    transitions = random_array<T>(stream.sub(1), K, K, shape.scale, P);
    start = random_array<T>(stream.sub(2), 1, K, shape.scale, P);
    end = random_array<T>(stream.sub(3), 1, K, shape.scale, P);
    d_losses = random_array<T>(stream.sub(4), 1, N);
    for (int64_t r = 0; r < R; ++r)
      targets.push_back(static_cast<int32_t>(stream.sub(5).below(r, static_cast<uint64_t>(K))));
    alphas = Array<T>(R, K, P);
    losses = Array<T>(1, N);
    labels = Array<int32_t>(R, shape.best, P);
    path_scores = Array<double>(N, shape.best, P);
    clear();
  }

  void clear() {
    const int64_t K = shape.labels;
    d_scores = Array<T>(packing.num_rows(), K, shape.padding);
    d_transitions = Array<T>(K, K, shape.padding);
    d_start = Array<T>(1, K);
    d_end = Array<T>(1, K);
  }
  CrfForward forward() {
    return {packing.rows(), scores, {transitions, start, end}, targets, alphas, losses};
  }
  CrfBackward backward() {
    return {
        packing.rows(), scores, {transitions, start, end}, targets, alphas, d_losses, d_scores, d_transitions,
        d_start,        d_end};
  }
  CrfDecode decode() { return {packing.rows(), scores, {transitions, start, end}, labels, path_scores}; }

  /// p(y_r = k) -> d_scores.
  void marginals(Backend& backend) {
    targets.clear();
    d_losses.fill(T(1));
    clear();
    backend.crf_forward(forward());
    backend.crf_backward(backward());
  }
};

struct CrfPathScore {
  std::vector<int32_t> labels;
  double score;
};

/// All K^T paths of packed sequence n, the best first.
inline std::vector<CrfPathScore> all_paths(const CrfOperands<double>& crf, int64_t n) {
  const int64_t K = crf.shape.labels, T = crf.packing.length(n);
  std::vector<CrfPathScore> paths;
  std::vector<int32_t> path(static_cast<size_t>(T), 0);
  while (true) {
    double score = T > 0 ? crf.start(0, path.front()) + crf.end(0, path.back()) : 0;
    for (int64_t t = 0; t < T; ++t) {
      score += crf.scores(crf.packing.rows().row(t, n), path[t]);
      if (t > 0) score += crf.transitions(path[t - 1], path[t]);
    }
    paths.push_back({path, score});
    int64_t digit = 0;
    while (digit < T && ++path[digit] == K) path[digit++] = 0;
    if (digit == T) break;
  }
  std::stable_sort(paths.begin(), paths.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return paths;
}

inline double log_total(const std::vector<CrfPathScore>& paths) {
  double sum = 0;
  for (const CrfPathScore& path : paths) sum += std::exp(path.score - paths.front().score);
  return paths.front().score + std::log(sum);
}

}  // namespace rondo
