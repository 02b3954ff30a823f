#include "kernels/cpu/dropout.h"

#include <cmath>

#include "kernels/cpu/runs.h"
#include "kernels/cpu/vector_ops.h"

namespace rondo {

void cpu_dropout_mask(ThreadPool& pool, const Stream& stream, double probability, Matrix mask) {
  const float kept = probability < 1 ? static_cast<float>(1 / (1 - probability)) : 0;
  // A number is a multiple of 2^-24: kept where the multiple is at least this one.
  const auto threshold = static_cast<int32_t>(std::ceil(probability * 0x1p24));
  const Runs runs(mask.rows, mask.columns, whole(mask));
  runs.each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    vector_ops().dropout_mask(stream.key(), r * runs.columns + c, threshold, kept,
                              rows_of(mask).from(r, c).at, count);
  });
}

}  // namespace rondo
