#include <algorithm>
#include <limits>

#include "kernels/reference/crf.h"
#include "kernels/reference/view.h"

namespace rondo::reference {

namespace {

constexpr double kNone = -std::numeric_limits<double>::infinity();

/// Row r as doubles: the real parts of complex numbers.
void read_row(const ConstMatrix& m, int64_t r, double* to, int64_t step = 1) {
  with_scalar("crf_decode", m.type, [&]<class T>(T) {
    for (int64_t c = 0; c < m.columns; ++c) to[c * step] = real_part(view<T>(m)(r, c));
  });
}

/// The best ways from all labels into one: K lists by falling score, of which the heads compete.
struct Merge {
  const std::vector<double>& ways;  ///< [K, B]
  int64_t labels, best;
  int64_t count;       ///< of each list
  const double* into;  ///< [K]: what the last move adds

  /// scores and origins [B]; an origin is label*B + rank, or -1 for none. @return how many there are.
  int64_t run(double* scores, int32_t* origins) const {
    if (best == 1) return run_one(scores, origins);
    std::vector<int64_t> heads(static_cast<size_t>(labels), 0);
    int64_t found = 0;
    for (; found < best; ++found) {
      int64_t chosen = -1;
      double most = 0;
      for (int64_t i = 0; i < labels; ++i) {
        if (heads[i] == count) continue;
        const double score = ways[i * best + heads[i]] + into[i];
        if (chosen >= 0 && !(score > most)) continue;
        chosen = i;
        most = score;
      }
      if (chosen < 0) break;
      scores[found] = most;
      origins[found] = static_cast<int32_t>(chosen * best + heads[chosen]++);
    }
    std::fill(scores + found, scores + best, kNone);
    std::fill(origins + found, origins + best, -1);
    return found;
  }

 private:
  int64_t run_one(double* score, int32_t* origin) const {
    int64_t chosen = 0;
    double most = ways[0] + into[0];
    for (int64_t i = 1; i < labels; ++i) {
      const double next = ways[i] + into[i];
      if (next > most) chosen = i;
      if (next > most) most = next;
    }
    *score = most;
    *origin = static_cast<int32_t>(chosen);
    return 1;
  }
};

}  // namespace

/// The ways into the labels of the step that was reached, and where they came from.
struct CrfDecoder::Ways {
  std::vector<double> scores, next, row;  ///< [K, B], [K, B], [K]
  std::vector<int32_t> origins;           ///< [T, K, B]
  int64_t count = 1;                      ///< ways into each label: min(B, K^t)
};

CrfDecoder::CrfDecoder(const CrfDecode& pass)
    : pass_(pass),
      num_labels_(pass.scores.columns),
      best_(pass.path_scores.columns),
      into_(static_cast<size_t>((num_labels_ + 1) * num_labels_)),
      start_(static_cast<size_t>(num_labels_)) {
  const int64_t K = num_labels_;
  for (int64_t i = 0; i < K; ++i) read_row(pass.weights.transitions, i, into_.data() + i, K);
  read_row(pass.weights.end, 0, into_.data() + K * K);
  read_row(pass.weights.start, 0, start_.data());
}

void CrfDecoder::begin(Ways& ways, int64_t row) const {
  read_row(pass_.scores, row, ways.row.data());
  for (int64_t j = 0; j < num_labels_; ++j) ways.scores[j * best_] = start_[j] + ways.row[j];
}

void CrfDecoder::advance(Ways& ways, int64_t row, int64_t t) const {
  read_row(pass_.scores, row, ways.row.data());
  int64_t found = 0;
  for (int64_t j = 0; j < num_labels_; ++j) {
    double* to = ways.next.data() + j * best_;
    const Merge merge{ways.scores, num_labels_, best_, ways.count, into_.data() + j * num_labels_};
    found = merge.run(to, ways.origins.data() + (t * num_labels_ + j) * best_);
    for (int64_t b = 0; b < found; ++b) to[b] += ways.row[j];
  }
  ways.count = found;
  ways.scores.swap(ways.next);
}

void CrfDecoder::trace(const Ways& ways, int64_t n, int64_t length) const {
  std::vector<int32_t> origins(static_cast<size_t>(best_));
  const Merge merge{ways.scores, num_labels_, best_, ways.count, into_.data() + num_labels_ * num_labels_};
  merge.run(pass_.path_scores.row<double>(n), origins.data());
  for (int64_t b = 0; b < best_; ++b) {
    int32_t origin = origins[b];
    for (int64_t t = length - 1; t >= 0; --t) {
      pass_.labels.row<int32_t>(pass_.rows.row(t, n))[b] =
          origin < 0 ? -1 : static_cast<int32_t>(origin / best_);
      if (t > 0 && origin >= 0) origin = ways.origins[t * num_labels_ * best_ + origin];
    }
  }
}

void CrfDecoder::decode(int64_t n, int64_t length) const {
  if (length == 0) {  // one path, without labels
    double* scores = pass_.path_scores.row<double>(n);
    std::fill(scores, scores + best_, kNone);
    scores[0] = 0;
    return;
  }
  const auto size = static_cast<size_t>(num_labels_ * best_);
  Ways ways{.scores = std::vector<double>(size),
            .next = std::vector<double>(size),
            .row = std::vector<double>(static_cast<size_t>(num_labels_)),
            .origins = std::vector<int32_t>(static_cast<size_t>(length) * size)};
  begin(ways, pass_.rows.row(0, n));
  for (int64_t t = 1; t < length; ++t) advance(ways, pass_.rows.row(t, n), t);
  trace(ways, n, length);
}

}  // namespace rondo::reference
