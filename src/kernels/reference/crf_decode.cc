#include <algorithm>
#include <cmath>
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

/// The ways into the labels of the step that was reached, and where those of its segment came from. A segment
/// is steps 1 .. S, the next S+1 .. 2S, and so on; step 0 comes from nowhere.
struct CrfDecoder::Ways {
  struct Mark {
    std::vector<double> scores;
    int64_t count;
  };

  std::vector<double> scores, next, row;  ///< [K, B], [K, B], [K]
  std::vector<int32_t> origins;           ///< [S, K, B]
  int64_t steps = 1;                      ///< S
  int64_t count = 1;                      ///< ways into each label: min(B, K^t)
  std::vector<Mark> marks;                ///< before each segment but the last
};

CrfDecoder::CrfDecoder(const CrfDecode& pass, int64_t most_origins)
    : pass_(pass),
      num_labels_(pass.scores.columns),
      best_(pass.path_scores.columns),
      most_origins_(most_origins),
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

void CrfDecoder::advance(Ways& ways, int64_t row, int64_t slot) const {
  read_row(pass_.scores, row, ways.row.data());
  int64_t found = 0;
  for (int64_t j = 0; j < num_labels_; ++j) {
    double* to = ways.next.data() + j * best_;
    const Merge merge{ways.scores, num_labels_, best_, ways.count, into_.data() + j * num_labels_};
    found = merge.run(to, ways.origins.data() + (slot * num_labels_ + j) * best_);
    for (int64_t b = 0; b < found; ++b) to[b] += ways.row[j];
  }
  ways.count = found;
  ways.scores.swap(ways.next);
}

// Steps first .. end-1, of one segment.
void CrfDecoder::run(Ways& ways, int64_t n, int64_t first, int64_t end) const {
  for (int64_t t = first; t < end; ++t) advance(ways, pass_.rows.row(t, n), t - first);
}

void CrfDecoder::trace(Ways& ways, int64_t n, int64_t length) const {
  std::vector<int32_t> origins(static_cast<size_t>(best_));
  const Merge merge{ways.scores, num_labels_, best_, ways.count, into_.data() + num_labels_ * num_labels_};
  merge.run(pass_.path_scores.row<double>(n), origins.data());
  int64_t first = 1 + (std::max<int64_t>(length - 2, 0) / ways.steps) * ways.steps;  // of the segment at hand
  for (int64_t t = length - 1; t >= 0; --t) {
    if (t > 0 && t < first) {
      ways.scores = std::move(ways.marks.back().scores);
      ways.count = ways.marks.back().count;
      ways.marks.pop_back();
      first -= ways.steps;
      run(ways, n, first, t + 1);
    }
    int32_t* labels = pass_.labels.row<int32_t>(pass_.rows.row(t, n));
    for (int64_t b = 0; b < best_; ++b) {
      labels[b] = origins[b] < 0 ? -1 : static_cast<int32_t>(origins[b] / best_);
      if (t > 0 && origins[b] >= 0) {
        origins[b] = ways.origins[(t - first) * num_labels_ * best_ + origins[b]];
      }
    }
  }
}

// All steps while their origins are few; else about as many bytes of origins (4 each) as of marks (8 each).
int64_t CrfDecoder::segment_steps(int64_t length) const {
  const int64_t steps = std::max<int64_t>(length - 1, 1);
  if (steps <= most_origins_ / (num_labels_ * best_)) return steps;
  return std::min(steps, static_cast<int64_t>(std::ceil(std::sqrt(2.0 * static_cast<double>(steps)))));
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
            .origins = {},
            .steps = segment_steps(length),
            .marks = {}};
  ways.origins.resize(static_cast<size_t>(ways.steps) * size);
  begin(ways, pass_.rows.row(0, n));
  for (int64_t first = 1; first < length; first += ways.steps) {
    const int64_t end = std::min(first + ways.steps, length);
    if (end < length) ways.marks.push_back({ways.scores, ways.count});
    run(ways, n, first, end);
  }
  trace(ways, n, length);
}

}  // namespace rondo::reference
