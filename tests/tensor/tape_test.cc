#include "tensor/tape.h"

#include <gtest/gtest.h>

#include "kernels/reference/reference_backend.h"
#include "tensor/memory_pool.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

// A chain of activations over a million numbers: 4 MB each.
TEST(Tape, BackwardFreesWhatOnlyTheOperationsBehindItHeld) {
  const auto backend = make_reference_backend();
  MemoryPool& pool = MemoryPool::instance();
  const Tensor weights = Tensor::zeros({1, 1'000'000});
  Tape tape(*backend, {.recording = true});
  const Variable x = tape.input(Tensor::zeros({1, 1'000'000}), true);
  Variable y = x;
  for (int i = 0; i < 8; ++i) y = activate(Activation::kTanh, y);
  const Variable loss = weighted_sum(y, weights);
  y = Variable();
  pool.trim();
  const int64_t forward = pool.used_bytes();
  tape.backward(loss);
  // Two gradients at a time, of the result and of the input, instead of all nine.
  EXPECT_LT(pool.peak_bytes(), forward + 3 * 4'000'000);
  EXPECT_LT(pool.used_bytes(), forward - 6 * 4'000'000);
  EXPECT_EQ(x.gradient().size(), 1'000'000);
}

}  // namespace
}  // namespace rondo
