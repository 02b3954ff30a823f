// What the CRF kernels of every backend share: the demands on their operands, and the search for paths.
//   const CrfDecoder decoder(pass);  decoder.decode(n, length);
#pragma once

#include <vector>

#include "kernels/crf.h"

namespace rondo::reference {

/// @throws ShapeError unless the operands fit.
void check_crf(const CrfForward& pass);
void check_crf(const CrfBackward& pass);
void check_crf(const CrfDecode& pass);

/// List Viterbi: for each step and label the B best ways to get there. One decoder may be used by many
/// threads. Of a long sequence it keeps the ways at some steps only and goes the rest again on its way back:
/// memory of sqrt(T)*K*B for at most twice the time, and the same bits.
/// Source: Viterbi 1967; Seshadri & Sundberg 1994 for lists; Grice, Hughey & Speck 1997 for the memory.
class CrfDecoder {
 public:
  /// Origins of ways [T, K, B] that are kept: 32 MiB.
  static constexpr int64_t kMostOrigins = int64_t{1} << 23;

  explicit CrfDecoder(const CrfDecode& pass, int64_t most_origins = kMostOrigins);
  /// Writes the paths of sequence n, which has `length` rows.
  void decode(int64_t n, int64_t length) const;

 private:
  struct Ways;
  void begin(Ways& ways, int64_t row) const;
  void advance(Ways& ways, int64_t row, int64_t slot) const;
  void run(Ways& ways, int64_t n, int64_t first, int64_t end) const;
  void trace(Ways& ways, int64_t n, int64_t length) const;
  int64_t segment_steps(int64_t length) const;

  const CrfDecode& pass_;
  int64_t num_labels_, best_, most_origins_;
  std::vector<double> into_;  ///< [K+1, K]: into_[j*K + i] = A[i, j]; row K leads to END
  std::vector<double> start_;
};

}  // namespace rondo::reference
