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
/// threads. Source: Viterbi 1967; Seshadri & Sundberg 1994 for lists.
class CrfDecoder {
 public:
  explicit CrfDecoder(const CrfDecode& pass);
  /// Writes the paths of sequence n, which has `length` rows.
  void decode(int64_t n, int64_t length) const;

 private:
  struct Ways;
  void begin(Ways& ways, int64_t row) const;
  void advance(Ways& ways, int64_t row, int64_t t) const;
  void trace(const Ways& ways, int64_t n, int64_t length) const;

  const CrfDecode& pass_;
  int64_t num_labels_, best_;
  std::vector<double> into_;  ///< [K+1, K]: into_[j*K + i] = A[i, j]; row K leads to END
  std::vector<double> start_;
};

}  // namespace rondo::reference
