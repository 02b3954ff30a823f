#include "kernels/cpu/dropout.h"

#include "kernels/cpu/runs.h"

namespace rondo {

void cpu_dropout_mask(ThreadPool& pool, const Stream& stream, double probability, Matrix mask) {
  const float kept = probability < 1 ? static_cast<float>(1 / (1 - probability)) : 0;
  const Runs runs(mask.rows, mask.columns, whole(mask));
  runs.each(&pool, [&](int64_t r, int64_t c, int64_t count) {
    float* to = rows_of(mask).from(r, c).at;
    const uint64_t first = r * runs.columns + c;
    std::array<uint32_t, 4> block{};
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t index = first + i;
      if (i == 0 || index % 4 == 0) block = stream.block(index / 4);  // four numbers for the price of one
      to[i] = Stream::to_uniform(block[index % 4]) >= probability ? kept : 0.0F;
    }
  });
}

}  // namespace rondo
