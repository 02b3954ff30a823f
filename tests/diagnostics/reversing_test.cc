// What attention is for: a network without it must carry a whole string in its state.
#include "diagnostics/reversing.h"

#include <gtest/gtest.h>

#include "tensor/device.h"

namespace rondo::diagnostics {
namespace {

ReversingPoint last_of(const ReversingOptions& options) {
  return run_reversing(options, *open_device("cpu"), [](const ReversingPoint&) {}).back();
}

TEST(Reversing, AttentionTellsTenToTwentyDigitsBackwardsAlongTheAntiDiagonalSlow) {
  for (const AttentionKind kind : {AttentionKind::kBahdanau, AttentionKind::kGeneral}) {
    SCOPED_TRACE(name_of(kind));
    const ReversingPoint point = last_of({.attention = kind, .evaluate_every = 1000});
    EXPECT_GE(point.exact, 0.99);
    EXPECT_GE(point.diagonal, 0.99);
  }
}

TEST(Reversing, WithoutAttentionTheSameTrainingDoesNotSlow) {
  EXPECT_LE(last_of({.attention = AttentionKind::kNone, .evaluate_every = 1000}).exact, 0.5);
}

TEST(Reversing, TheCurveHasAPointAnEvaluation) {
  const auto curve =
      run_reversing({.hidden = 4, .shortest = 2, .longest = 3, .updates = 5, .batch = 3, .evaluate_every = 2},
                    *open_device("cpu", 1), [](const ReversingPoint&) {});
  ASSERT_EQ(curve.size(), 3U);
  EXPECT_EQ(curve[1].update, 4);
  EXPECT_EQ(curve[2].update, 5);
  EXPECT_GT(curve[2].loss, 0);
}

}  // namespace
}  // namespace rondo::diagnostics
