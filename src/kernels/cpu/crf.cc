#include "kernels/cpu/crf.h"

#include "kernels/cpu/cells.h"
#include "kernels/cpu/crf_table.h"
#include "kernels/cpu/runs.h"
#include "kernels/reference/crf.h"
#include "kernels/reference/sequences.h"

namespace rondo {

namespace {

using reference::length_of;

/// x = log softmax(x); exps holds exp(x) after. @return log sum exp.
float normalize(float* x, float* exps, int64_t count) {
  const float most = vector_ops().largest(x, count);
  const float sum = vector_ops().exponentials(x, most, exps, count);
  const float total = most + std::log(sum);
  vector_ops().divide(exps, sum, count);
  for (int64_t k = 0; k < count; ++k) x[k] -= total;
  return total;
}

/// Sequences of one task, so that it is worth a thread.
int64_t grain(const PackedRows& rows, int64_t work_of_row) {
  const int64_t length = std::max<int64_t>(rows.rows() / std::max<int64_t>(rows.sequences, 1), 1);
  return 1 + kTask / (length * std::max<int64_t>(work_of_row, 1));
}

double target_score(const CrfForward& pass, int64_t n, int64_t length) {
  double sum = 0;
  int32_t before = 0;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t r = pass.rows.row(t, n);
    const int32_t y = pass.targets[r];
    sum += pass.scores.row<float>(r)[y];
    sum += t > 0 ? pass.weights.transitions.row<float>(before)[y] : pass.weights.start.row<float>(0)[y];
    before = y;
  }
  return sum + pass.weights.end.row<float>(0)[before];
}

/// @return log Z.
double forward_sequence(const CrfForward& pass, const TransitionTable& table, int64_t n, int64_t length) {
  const int64_t K = table.size();
  ScratchFrame frame;
  float *shares = frame.take(K), *sums = frame.take(K), *last = frame.take(K);
  double log_z = 0;
  const float* before = nullptr;
  for (int64_t t = 0; t < length; ++t) {
    const int64_t r = pass.rows.row(t, n);
    float* alpha = pass.alphas.row<float>(r);
    if (t > 0) {
      table.advance(before, shares, sums, alpha);
    } else {
      vector_ops().copy(pass.weights.start.row<float>(0), alpha, K);
    }
    vector_ops().add(pass.scores.row<float>(r), alpha, K);
    log_z += normalize(alpha, shares, K);
    before = alpha;
  }
  vector_ops().copy(before, last, K);
  vector_ops().add(pass.weights.end.row<float>(0), last, K);
  return log_z + normalize(last, shares, K);
}

/// Gradients of the weights from some of the sequences.
struct Sums {
  float *products, *counts;  ///< [K, K]: d_transitions = factors * products + counts
  float *start, *end;        ///< [K]

  static int64_t floats(int64_t K) { return 2 * K * (K + 1); }
  Sums(float* at, int64_t K) : products(at), counts(at + K * K), start(counts + K * K), end(start + K) {}
};

class SequenceBackward {
 public:
  SequenceBackward(const CrfBackward& pass, const TransitionTable& forward, const TransitionTable& backward,
                   Sums sums)
      : pass_(pass), forward_(forward), backward_(backward), sums_(sums), size_(forward.size()) {}

  // beta is kept so that exp(alpha + beta) are the marginals of the step.
  void run(int64_t n, int64_t length) const {
    const float d_loss = pass_.d_losses.row<float>(0)[n];
    ScratchFrame frame;
    float *beta = frame.take(size_), *marginals = frame.take(size_), *work = frame.take(3 * size_);
    vector_ops().copy(pass_.weights.end.row<float>(0), beta, size_);
    for (int64_t t = length - 1; t >= 0; --t) {
      const int64_t r = pass_.rows.row(t, n);
      const float log_sum = make_marginals(r, beta, marginals, work);
      if (pass_.d_scores) add(r, d_loss, marginals, pass_.d_scores.row<float>(r));
      if (t + 1 == length) add(r, d_loss, marginals, sums_.end);
      if (t == 0) add(r, d_loss, marginals, sums_.start);
      if (t == 0) break;
      const int64_t before = pass_.rows.row(t - 1, n);
      if (pass_.d_transitions) add_pairs(before, r, d_loss, marginals, work);
      for (int64_t k = 0; k < size_; ++k) work[k] = pass_.scores.row<float>(r)[k] + (beta[k] - log_sum);
      backward_.advance(work, work + size_, work + 2 * size_, beta);
    }
  }

 private:
  float make_marginals(int64_t r, const float* beta, float* marginals, float* work) const {
    vector_ops().copy(pass_.alphas.row<float>(r), work, size_);
    vector_ops().add(beta, work, size_);
    return normalize(work, marginals, size_);
  }

  void add(int64_t r, float d_loss, const float* marginals, float* to) const {
    vector_ops().add_scaled(d_loss, marginals, to, size_);
    if (!pass_.targets.empty()) to[pass_.targets[r]] -= d_loss;
  }

  // p(i, j) = marginal_j * e^(alpha_i + A_ij) / sum_i e^(alpha_i + A_ij): an outer product but for the
  // factors of the table, which are multiplied to the sum over all steps at the end.
  void add_pairs(int64_t before, int64_t r, float d_loss, const float* marginals, float* work) const {
    const float* alpha = pass_.alphas.row<float>(before);
    float *shares = work, *sums = work + size_, *ratios = work + 2 * size_;
    forward_.multiply(alpha, shares, sums);
    for (int64_t j = 0; j < size_; ++j) {
      const bool holds = TransitionTable::holds(sums[j]);
      ratios[j] = holds ? d_loss * (marginals[j] / sums[j]) : 0;
      if (!holds) add_column(alpha, j, d_loss * marginals[j]);
    }
    for (int64_t i = 0; i < size_; ++i) {
      vector_ops().add_scaled(shares[i], ratios, sums_.products + i * size_, size_);
    }
    if (pass_.targets.empty()) return;
    sums_.counts[pass_.targets[before] * size_ + pass_.targets[r]] -= d_loss;
  }

  void add_column(const float* alpha, int64_t j, float d_marginal) const {
    const float log_sum = forward_.term_by_term(alpha, j);
    for (int64_t i = 0; i < size_; ++i) {
      sums_.counts[i * size_ + j] += d_marginal * std::exp(alpha[i] + forward_.log(i, j) - log_sum);
    }
  }

  const CrfBackward& pass_;
  const TransitionTable& forward_;
  const TransitionTable& backward_;
  Sums sums_;
  int64_t size_;
};

/// Blocks of sequences with sums of their own: by shapes alone, so that threads change no bit.
int64_t num_blocks(int64_t sequences, int64_t K) {
  constexpr int64_t kBlocks = 32, kFloats = int64_t{1} << 24;
  return std::max<int64_t>(1, std::min({kBlocks, sequences, kFloats / Sums::floats(K)}));
}

void add_sums(const CrfBackward& pass, const TransitionTable& table, const Sums& sums) {
  const int64_t K = table.size();
  for (int64_t i = 0; pass.d_transitions && i < K; ++i) {
    float* to = pass.d_transitions.row<float>(i);
    vector_ops().multiply_add(table.factors(i), sums.products + i * K, to, K);
    vector_ops().add(sums.counts + i * K, to, K);
  }
  if (pass.d_start) vector_ops().add(sums.start, pass.d_start.row<float>(0), K);
  if (pass.d_end) vector_ops().add(sums.end, pass.d_end.row<float>(0), K);
}

}  // namespace

void cpu_crf_forward(ThreadPool& pool, const CrfForward& pass) {
  const int64_t K = pass.scores.columns;
  ScratchFrame frame;
  const TransitionTable table(frame, pass.weights.transitions, false);
  pool.split(pass.rows.sequences, grain(pass.rows, K * (K + 16)), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const int64_t length = length_of(pass.rows, n);
      double loss = length > 0 ? forward_sequence(pass, table, n, length) : 0;
      if (length > 0 && !pass.targets.empty()) loss -= target_score(pass, n, length);
      pass.losses.row<float>(0)[n] = static_cast<float>(loss);
    }
  });
}

void cpu_crf_backward(ThreadPool& pool, const CrfBackward& pass) {
  const int64_t K = pass.scores.columns, blocks = num_blocks(pass.rows.sequences, K);
  ScratchFrame frame;
  const TransitionTable forward(frame, pass.weights.transitions, false);
  const TransitionTable backward(frame, pass.weights.transitions, true);
  float* memory = frame.take_zeros(blocks * Sums::floats(K));
  const auto sums = [&](int64_t block) { return Sums(memory + block * Sums::floats(K), K); };
  pool.split(blocks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const SequenceBackward sequence(pass, forward, backward, sums(block));
      // Every blocks-th sequence: they stand by falling length.
      for (int64_t n = block; n < pass.rows.sequences; n += blocks) {
        const int64_t length = length_of(pass.rows, n);
        if (length > 0) sequence.run(n, length);
      }
    }
  });
  for (int64_t block = 0; block < blocks; ++block) add_sums(pass, forward, sums(block));
}

void cpu_crf_decode(ThreadPool& pool, const CrfDecode& pass) {
  const int64_t K = pass.scores.columns;
  const reference::CrfDecoder decoder(pass);
  pool.split(pass.rows.sequences, grain(pass.rows, K * K * pass.path_scores.columns),
             [&](int64_t begin, int64_t end) {
               for (int64_t n = begin; n < end; ++n) decoder.decode(n, length_of(pass.rows, n));
             });
}

}  // namespace rondo
