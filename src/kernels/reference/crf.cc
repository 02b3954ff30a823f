#include "kernels/reference/crf.h"

#include <algorithm>

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/sequences.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

using reference::Checks;
using reference::length_of;
using reference::real_part;
using reference::view;
using reference::View;

/// log sum exp(x): the real maximum is taken out, as exp overflows above 88 in float.
template <class T>
T log_sum_exp(const std::vector<T>& x) {
  double most = real_part(x[0]);
  for (const T& value : x) most = std::max<double>(most, real_part(value));
  T sum = 0;
  for (const T& value : x) sum += std::exp(value - static_cast<T>(most));
  return std::log(sum) + static_cast<T>(most);
}

template <class T>
struct Chain {
  View<const T> scores, transitions, start, end;
  std::span<const int32_t> targets;

  template <class Pass>
  explicit Chain(const Pass& pass)
      : scores(view<T>(pass.scores)),
        transitions(view<T>(pass.weights.transitions)),
        start(view<T>(pass.weights.start)),
        end(view<T>(pass.weights.end)),
        targets(pass.targets) {}

  int64_t labels() const { return scores.columns; }

  /// log Z = lse_j(alpha_T(j) + end_j).
  T log_partition(const T* last_alphas) const {
    std::vector<T> x(labels());
    for (int64_t j = 0; j < labels(); ++j) x[j] = last_alphas[j] + end(0, j);
    return log_sum_exp(x);
  }
};

/// alpha_1 = start + s_1,  alpha_t(j) = s_tj + lse_i(alpha_{t-1}(i) + A_ij).
template <class T>
void make_alphas(const Chain<T>& chain, const PackedRows& rows, int64_t n, int64_t length, View<T> alphas) {
  std::vector<T> x(chain.labels());
  for (int64_t t = 0; t < length; ++t) {
    const int64_t r = rows.row(t, n);
    for (int64_t j = 0; j < chain.labels(); ++j) {
      for (int64_t i = 0; t > 0 && i < chain.labels(); ++i) {
        x[i] = alphas(rows.row(t - 1, n), i) + chain.transitions(i, j);
      }
      alphas(r, j) = chain.scores(r, j) + (t > 0 ? log_sum_exp(x) : chain.start(0, j));
    }
  }
}

template <class T>
T target_score(const Chain<T>& chain, const PackedRows& rows, int64_t n, int64_t length) {
  T sum = 0;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t r = rows.row(t, n);
    const int32_t y = chain.targets[r];
    sum += chain.scores(r, y);
    sum += t > 0 ? chain.transitions(chain.targets[rows.row(t - 1, n)], y) : chain.start(0, y);
    if (t + 1 == length) sum += chain.end(0, y);
  }
  return sum;
}

/// The gradients of one sequence: expected minus observed counts of labels and of pairs, times d_loss.
template <class T>
struct SequenceBackward {
  const Chain<T>& chain;
  const PackedRows& rows;
  View<const T> alphas;
  View<T> d_scores, d_transitions, d_start, d_end;
  int64_t n, length;
  T d_loss, log_z;

  void run() const {
    std::vector<T> beta(chain.labels());
    for (int64_t j = 0; j < chain.labels(); ++j) beta[j] = chain.end(0, j);
    for (int64_t t = length - 1; t >= 0; --t) {
      add_labels(t, beta);
      if (t > 0) step_back(t, beta);
    }
  }

 private:
  bool observed(int64_t r, int64_t k) const { return !chain.targets.empty() && chain.targets[r] == k; }

  /// p(y_t = j) = exp(alpha_t(j) + beta_t(j) - log Z).
  void add_labels(int64_t t, const std::vector<T>& beta) const {
    const int64_t r = rows.row(t, n);
    for (int64_t j = 0; j < chain.labels(); ++j) {
      const T d = d_loss * (std::exp(alphas(r, j) + beta[j] - log_z) - (observed(r, j) ? T(1) : T(0)));
      if (d_scores) d_scores(r, j) += d;
      if (d_start && t == 0) d_start(0, j) += d;
      if (d_end && t + 1 == length) d_end(0, j) += d;
    }
  }

  /// p(y_{t-1} = i, y_t = j) = exp(alpha_{t-1}(i) + A_ij + s_tj + beta_t(j) - log Z);
  /// beta_{t-1}(i) = lse_j(A_ij + s_tj + beta_t(j)).
  void step_back(int64_t t, std::vector<T>& beta) const {
    const int64_t r = rows.row(t, n), before = rows.row(t - 1, n);
    std::vector<T> x(chain.labels()), earlier(chain.labels());
    for (int64_t i = 0; i < chain.labels(); ++i) {
      for (int64_t j = 0; j < chain.labels(); ++j) {
        x[j] = chain.transitions(i, j) + chain.scores(r, j) + beta[j];
        if (!d_transitions) continue;
        const bool seen = observed(before, i) && observed(r, j);
        d_transitions(i, j) += d_loss * (std::exp(alphas(before, i) + x[j] - log_z) - (seen ? T(1) : T(0)));
      }
      earlier[i] = log_sum_exp(x);
    }
    beta = earlier;
  }
};

template <class Pass>
void check_operands(const Checks& checks, const Pass& pass) {
  const int64_t K = pass.scores.columns;
  checks.packed(pass.rows);
  if (K < 1) throw_error<ShapeError>("crf: scores must have a column for each label, got none");
  checks.shape("scores", pass.scores, pass.rows.rows(), K);
  checks.shape("transitions", pass.weights.transitions, K, K);
  checks.shape("start", pass.weights.start, 1, K);
  checks.shape("end", pass.weights.end, 1, K);
}

}  // namespace

void reference::check_crf(const CrfForward& pass) {
  const Checks checks("crf_forward", pass.scores.type);
  check_operands(checks, pass);
  if (!pass.targets.empty()) checks.ids("targets", pass.targets, pass.rows.rows(), pass.scores.columns);
  checks.shape("alphas", pass.alphas, pass.rows.rows(), pass.scores.columns);
  checks.shape("losses", pass.losses, 1, pass.rows.sequences);
}

void reference::check_crf(const CrfBackward& pass) {
  const Checks checks("crf_backward", pass.scores.type);
  const int64_t R = pass.rows.rows(), K = pass.scores.columns;
  check_operands(checks, pass);
  if (!pass.targets.empty()) checks.ids("targets", pass.targets, R, K);
  checks.shape("alphas", pass.alphas, R, K);
  checks.shape("d_losses", pass.d_losses, 1, pass.rows.sequences);
  checks.optional("d_scores", pass.d_scores, R, K);
  checks.optional("d_transitions", pass.d_transitions, K, K);
  checks.optional("d_start", pass.d_start, 1, K);
  checks.optional("d_end", pass.d_end, 1, K);
}

void ReferenceBackend::crf_forward(const CrfForward& pass) {
  reference::check_crf(pass);
  reference::with_scalar("crf_forward", pass.scores.type, [&]<class T>(T) {
    const Chain<T> chain(pass);
    const View<T> alphas = view<T>(pass.alphas), losses = view<T>(pass.losses);
    for (int64_t n = 0; n < pass.rows.sequences; ++n) {
      const int64_t length = length_of(pass.rows, n);
      losses(0, n) = T(0);
      if (length == 0) continue;
      make_alphas(chain, pass.rows, n, length, alphas);
      losses(0, n) = chain.log_partition(alphas.row(pass.rows.row(length - 1, n)));
      if (!pass.targets.empty()) losses(0, n) -= target_score(chain, pass.rows, n, length);
    }
  });
}

void ReferenceBackend::crf_backward(const CrfBackward& pass) {
  reference::check_crf(pass);
  reference::with_scalar("crf_backward", pass.scores.type, [&]<class T>(T) {
    const Chain<T> chain(pass);
    const View<const T> alphas = view<T>(pass.alphas), d_losses = view<T>(pass.d_losses);
    for (int64_t n = 0; n < pass.rows.sequences; ++n) {
      const int64_t length = length_of(pass.rows, n);
      if (length == 0) continue;
      SequenceBackward<T>{.chain = chain,
                          .rows = pass.rows,
                          .alphas = alphas,
                          .d_scores = view<T>(pass.d_scores),
                          .d_transitions = view<T>(pass.d_transitions),
                          .d_start = view<T>(pass.d_start),
                          .d_end = view<T>(pass.d_end),
                          .n = n,
                          .length = length,
                          .d_loss = d_losses(0, n),
                          .log_z = chain.log_partition(alphas.row(pass.rows.row(length - 1, n)))}
          .run();
    }
  });
}

void reference::check_crf(const CrfDecode& pass) {
  const Checks checks("crf_decode", pass.scores.type);
  check_operands(checks, pass);
  const int64_t best = pass.path_scores.columns;
  if (best < 1 || best > INT32_MAX / pass.scores.columns) {
    throw_error<ShapeError>("crf_decode: 1 to {} paths can be asked for, got {}",
                            INT32_MAX / pass.scores.columns, best);
  }
  checks.shape("labels", pass.labels, pass.rows.rows(), best, DType::kInt32);
  checks.shape("path_scores", pass.path_scores, pass.rows.sequences, best, DType::kFloat64);
}

void ReferenceBackend::crf_decode(const CrfDecode& pass) {
  reference::check_crf(pass);
  const reference::CrfDecoder decoder(pass);
  for (int64_t n = 0; n < pass.rows.sequences; ++n) decoder.decode(n, length_of(pass.rows, n));
}

}  // namespace rondo
