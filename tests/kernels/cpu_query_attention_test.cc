// The vector attention against the reference in double, and its bits.
#include "attention_cases.h"
#include "kernels/cpu_targets.h"

namespace rondo {
namespace {

double error(const Array<float>& a, const Array<double>& b) {
  if (!b.given()) return a.given() ? 1 : 0;
  Array<float> rounded(b.rows, b.columns, b.stride - b.columns);
  for (int64_t r = 0; r < b.rows; ++r) {
    for (int64_t c = 0; c < b.columns; ++c) rounded(r, c) = static_cast<float>(b(r, c));
  }
  return difference(a, rounded);
}

template <class T>
void run(Backend& backend, AttentionOperandsOf<T>& a) {
  backend.attention_forward(a.forward());
  backend.attention_backward(a.backward());
}

TEST(CpuQueryAttention, IsNearTheReferenceInDoubleOnEveryTarget) {
  ReferenceBackend reference;
  for (const AttentionCase& shape : attention_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    AttentionOperandsOf<double> exact(shape, 2);
    run(reference, exact);
    for_each_target(2, [&](Backend& backend) {
      AttentionOperandsOf<float> got(shape, 2);
      run(backend, got);
      // Scores of 37 columns round to 1e-6 of their size; exp makes that the share's relative error.
      constexpr double kTolerance = 5e-6;
      EXPECT_LE(error(got.weights, exact.weights), kTolerance);
      EXPECT_LE(error(got.contexts, exact.contexts), kTolerance);
      EXPECT_LE(error(got.d_queries, exact.d_queries), kTolerance);
      EXPECT_LE(error(got.d_keys, exact.d_keys), kTolerance);
      EXPECT_LE(error(got.d_values, exact.d_values), kTolerance);
      EXPECT_LE(error(got.d_v, exact.d_v), kTolerance);
      EXPECT_LE(error(got.d_centers, exact.d_centers), kTolerance);
      EXPECT_TRUE(got.weights.padding_untouched() && got.contexts.padding_untouched() &&
                  got.d_queries.padding_untouched() && got.d_keys.padding_untouched() &&
                  got.d_values.padding_untouched());
    });
  }
}

// What hard attention leaves, and what attention without other readers of its weights does.
TEST(CpuQueryAttention, EitherGradientMayBeMissing) {
  ReferenceBackend reference;
  const auto backend = make_cpu_backend(2);
  for (const bool of_contexts : {false, true}) {
    for (const bool window : {false, true}) {
      const AttentionCase shape{
          .score = Score::kAdditive, .window = window, .lengths = {4, 6}, .size = 37, .columns = 53};
      AttentionOperandsOf<double> exact(shape, 2);
      AttentionOperandsOf<float> got(shape, 2);
      const auto run_one = [&](Backend& on, auto& operands) {
        on.attention_forward(operands.forward());
        AttentionBackward pass = operands.backward();
        (of_contexts ? pass.d_weights : pass.d_contexts) = {};
        on.attention_backward(pass);
      };
      run_one(reference, exact);
      run_one(*backend, got);
      EXPECT_LE(error(got.d_queries, exact.d_queries), 5e-6);
      EXPECT_LE(error(got.d_keys, exact.d_keys), 5e-6);
      EXPECT_LE(error(got.d_values, exact.d_values), 5e-6);
      EXPECT_LE(error(got.d_centers, exact.d_centers), 5e-6);
      EXPECT_GT(std::abs(got.d_queries(0, 0)), 0);
    }
  }
}

TEST(CpuQueryAttention, ThreadsChangeNoBit) {
  for (const AttentionCase& shape : attention_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    AttentionOperandsOf<float> one(shape, 2);
    run(*make_cpu_backend(1), one);
    for (const int threads : {2, 3}) {
      AttentionOperandsOf<float> more(shape, 2);
      run(*make_cpu_backend(threads), more);
      EXPECT_TRUE(same_bits(one.weights, more.weights) && same_bits(one.contexts, more.contexts));
      EXPECT_TRUE(same_bits(one.d_queries, more.d_queries) && same_bits(one.d_keys, more.d_keys));
      EXPECT_TRUE(same_bits(one.d_values, more.d_values) && same_bits(one.d_v, more.d_v));
      EXPECT_TRUE(same_bits(one.d_centers, more.d_centers));
    }
  }
}

TEST(CpuQueryAttention, AQueryHasTheSameBitsAloneAndAmongOthers) {
  const auto backend = make_cpu_backend(2);
  for (const bool window : {false, true}) {
    for (const Score score : {Score::kDot, Score::kAdditive}) {
      AttentionOperandsOf<float> all({.score = score, .window = window, .size = 37, .columns = 53}, 2);
      backend->attention_forward(all.forward());
      for (int64_t q = 0; q < all.shape.queries; ++q) {
        AttentionForward pass = all.forward();
        Array<float> weights(1, all.weights.columns), shares(1, all.weights.columns), contexts(1, 53);
        pass.in.sources = pass.in.sources.subspan(static_cast<size_t>(q), 1);
        pass.in.queries = pass.in.queries.rows_at(q, 1);
        if (window) pass.in.centers = pass.in.centers.rows_at(q, 1);
        pass.weights = weights;
        if (window) pass.shares = shares;
        pass.contexts = contexts;
        backend->attention_forward(pass);
        for (int64_t s = 0; s < weights.columns; ++s) ASSERT_EQ(weights(0, s), all.weights(q, s));
        for (int64_t c = 0; c < 53; ++c) ASSERT_EQ(contexts(0, c), all.contexts(q, c));
      }
    }
  }
}

TEST(CpuQueryAttention, GradientsAreAdded) {
  const auto backend = make_cpu_backend(1);
  AttentionOperandsOf<float> once({.score = Score::kAdditive, .window = true}, 2);
  run(*backend, once);
  AttentionOperandsOf<float> twice({.score = Score::kAdditive, .window = true}, 2);
  run(*backend, twice);
  backend->attention_backward(twice.backward());
  for (int64_t r = 0; r < once.d_keys.rows; ++r) {
    for (int64_t c = 0; c < once.d_keys.columns; ++c) {
      EXPECT_NEAR(twice.d_keys(r, c), 2 * once.d_keys(r, c), 1e-6);
    }
  }
  for (int64_t q = 0; q < once.d_centers.rows; ++q) {
    EXPECT_EQ(twice.d_centers(q, 0), 2 * once.d_centers(q, 0));
  }
}

}  // namespace
}  // namespace rondo
