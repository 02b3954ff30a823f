// The vector CRF against the reference in double, and its bits.
#include "crf_cases.h"
#include "kernels/cpu_targets.h"

namespace rondo {
namespace {

std::vector<CrfCase> crf_cases() {
  std::vector<CrfCase> cases;
  for (const LengthsCase& lengths : lengths_cases()) {
    for (const int64_t labels : {1, 3, 17}) cases.push_back({.labels = labels, .lengths = lengths.lengths});
  }
  std::vector<int64_t> many;
  for (int64_t n = 0; n < 90; ++n) many.push_back(n * 7 % 23);
  for (const float scale : {0.1F, 1.0F, 8.0F, 60.0F})  // 60: exp underflows in the products
    cases.push_back({.labels = 9, .lengths = many, .scale = scale, .padding = 3, .best = 4});
  cases.push_back({.labels = 33, .lengths = {3000, 700}});
  return cases;
}

double difference(const Array<float>& a, const Array<double>& b) {
  Array<float> rounded(b.rows, b.columns, b.stride - b.columns);
  for (int64_t r = 0; r < b.rows; ++r) {
    for (int64_t c = 0; c < b.columns; ++c) rounded(r, c) = static_cast<float>(b(r, c));
  }
  return difference(a, rounded);
}

void run(Backend& backend, CrfOperands<float>& crf) {
  backend.crf_forward(crf.forward());
  backend.crf_backward(crf.backward());
  backend.crf_decode(crf.decode());
}

TEST(CpuCrf, IsNearTheReferenceInDoubleOnEveryTarget) {
  ReferenceBackend reference;
  for (const CrfCase& shape : crf_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    CrfOperands<double> exact(shape, 2);
    reference.crf_forward(exact.forward());
    reference.crf_backward(exact.backward());
    reference.crf_decode(exact.decode());
    for_each_target(2, [&](Backend& backend) {
      CrfOperands<float> got(shape, 2);
      run(backend, got);
      // Alphas round to 6e-8 of their size, which large scores make large.
      const double tolerance = 2e-6 * std::max(1.0F, shape.scale);
      EXPECT_LE(difference(got.losses, exact.losses), tolerance);
      EXPECT_LE(difference(got.d_scores, exact.d_scores), tolerance);
      EXPECT_LE(difference(got.d_transitions, exact.d_transitions), tolerance);
      EXPECT_LE(difference(got.d_start, exact.d_start), tolerance);
      EXPECT_LE(difference(got.d_end, exact.d_end), tolerance);
      EXPECT_EQ(got.labels.values, exact.labels.values);
      EXPECT_EQ(got.path_scores.values, exact.path_scores.values);
      EXPECT_TRUE(got.alphas.padding_untouched() && got.d_scores.padding_untouched() &&
                  got.d_transitions.padding_untouched());
    });
  }
}

TEST(CpuCrf, ThreadsChangeNoBit) {
  for (const CrfCase& shape : crf_cases()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    CrfOperands<float> one(shape, 2);
    run(*make_cpu_backend(1), one);
    for (const int threads : {2, 3}) {
      CrfOperands<float> more(shape, 2);
      run(*make_cpu_backend(threads), more);
      EXPECT_TRUE(same_bits(one.losses, more.losses));
      EXPECT_TRUE(same_bits(one.d_scores, more.d_scores));
      EXPECT_TRUE(same_bits(one.d_transitions, more.d_transitions));
      EXPECT_TRUE(same_bits(one.d_start, more.d_start));
      EXPECT_TRUE(same_bits(one.d_end, more.d_end));
      EXPECT_EQ(one.labels.values, more.labels.values);
    }
  }
}

TEST(CpuCrf, ASequenceHasTheSameBitsAloneAndInABatch) {
  const CrfCase shape{.labels = 9, .lengths = {3, 0, 5, 1, 40}, .best = 2};
  CrfOperands<float> batch(shape, 2);
  const auto backend = make_cpu_backend(2);
  batch.marginals(*backend);
  backend->crf_decode(batch.decode());
  for (int64_t n = 0; n < 5; ++n) {
    SCOPED_TRACE(n);
    CrfCase alone = shape;
    alone.lengths = {batch.packing.length(n)};
    CrfOperands<float> single(alone, 2);  // the same weights
    for (int64_t t = 0; t < alone.lengths[0]; ++t) {
      for (int64_t k = 0; k < 9; ++k) single.scores(t, k) = batch.scores(batch.packing.rows().row(t, n), k);
    }
    single.marginals(*backend);
    backend->crf_decode(single.decode());
    EXPECT_EQ(single.losses(0, 0), batch.losses(0, n));
    for (int64_t b = 0; b < 2; ++b) EXPECT_EQ(single.path_scores(0, b), batch.path_scores(n, b));
    for (int64_t t = 0; t < alone.lengths[0]; ++t) {
      const int64_t r = batch.packing.rows().row(t, n);
      for (int64_t k = 0; k < 9; ++k) EXPECT_EQ(single.d_scores(t, k), batch.d_scores(r, k));
      for (int64_t b = 0; b < 2; ++b) EXPECT_EQ(single.labels(t, b), batch.labels(r, b));
    }
  }
}

TEST(CpuCrf, MarginalsOfALongSequenceSumToOne) {
  CrfOperands<float> crf({.labels = 9, .lengths = {20000}, .scale = 3}, 2);
  crf.marginals(*make_cpu_backend(2));
  for (int64_t t = 0; t < 20000; ++t) {
    double sum = 0;
    for (int64_t k = 0; k < 9; ++k) sum += crf.d_scores(t, k);
    ASSERT_NEAR(sum, 1, 1e-6) << t;
  }
}

TEST(CpuCrf, ScoresThatAreNoNumbersStillGiveAPath) {
  for (const float value : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
    for (const int64_t best : {1, 3}) {
      CrfOperands<float> crf({.labels = 3, .lengths = {4, 2}, .best = best}, 2);
      crf.scores.fill(value);
      run(*make_cpu_backend(1), crf);
      for (int64_t r = 0; r < 6; ++r) {
        EXPECT_GE(crf.labels(r, 0), 0);
        EXPECT_LT(crf.labels(r, 0), 3);
      }
    }
  }
}

TEST(CpuCrf, AForbiddenTransitionHasNoShareAndNoGradient) {
  CrfOperands<float> crf({.labels = 4, .lengths = {9, 6}}, 2);
  crf.transitions(1, 2) = crf.start(0, 3) = crf.end(0, 0) = static_cast<float>(kForbiddenScore);
  crf.marginals(*make_cpu_backend(1));
  EXPECT_EQ(crf.d_transitions(1, 2), 0);
  EXPECT_LT(crf.d_start(0, 3), 1e-30);
  EXPECT_LT(crf.d_end(0, 0), 1e-30);
  EXPECT_GT(crf.d_transitions(1, 1), 0);
}

}  // namespace
}  // namespace rondo
