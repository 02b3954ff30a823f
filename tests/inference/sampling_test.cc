// The sampler against a plain computation that sorts everything, and against chance.
#include "inference/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "allocations.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> random_scores(size_t count, uint64_t seed, float deviation = 2) {
  const Stream stream(seed);
  std::vector<float> scores(count);
  for (size_t i = 0; i < count; ++i) scores[i] = deviation * stream.normal(i);
  return scores;
}

// Probability of each id after penalty, temperature, top-k and top-p, in doubles and with a full sort.
std::vector<double> plain_probabilities(std::vector<float> scores, const std::vector<int32_t>& written,
                                        const SamplingOptions& options) {
  const size_t V = scores.size();
  if (!options.allow_unknown) scores[0] = -INFINITY;
  std::vector<double> z(scores.begin(), scores.end());
  for (size_t id = 0; id < V; ++id) {
    const auto window = static_cast<std::ptrdiff_t>(
        options.repetition_window == 0
            ? written.size()
            : std::min<size_t>(written.size(), static_cast<size_t>(options.repetition_window)));
    if (std::find(written.end() - window, written.end(), static_cast<int32_t>(id)) == written.end()) continue;
    z[id] = z[id] > 0 ? z[id] / options.repetition_penalty : z[id] * options.repetition_penalty;
  }
  std::vector<size_t> order(V);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return z[a] > z[b]; });
  if (options.greedy) order.resize(1);
  if (options.top_k > 0) order.resize(std::min(V, static_cast<size_t>(options.top_k)));
  std::vector<double> p(V, 0);
  double total = 0;
  for (const size_t id : order) total += p[id] = std::exp((z[id] - z[order[0]]) / options.temperature);
  double mass = 0, kept = 0;
  for (const size_t id : order) {
    const bool keep = mass < options.top_p;
    mass += p[id] / total;
    if (!keep) p[id] = 0;
    kept += p[id];
  }
  for (double& value : p) value /= kept;
  return p;
}

void expect_probabilities(const Sampler& sampler, const std::vector<double>& expected) {
  std::vector<double> found(expected.size(), 0);
  for (size_t i = 0; i < sampler.candidates().size(); ++i) {
    found[static_cast<size_t>(sampler.candidates()[i])] = sampler.probabilities()[i];
  }
  for (size_t id = 0; id < expected.size(); ++id) {
    EXPECT_EQ(found[id] > 0, expected[id] > 1e-40) << id;
    EXPECT_NEAR(found[id], expected[id], 1e-6 + 1e-5 * expected[id]) << id;  // exponentials in float
  }
}

TEST(Sampler, KeepsWhatAFullSortKeeps) {
  const std::vector<SamplingOptions> cases = {
      {},
      {.allow_unknown = true},
      {.temperature = 0.5},
      {.temperature = 3},
      {.top_k = 1},
      {.top_k = 5},
      {.top_k = 100000},
      {.top_p = 0.9},
      {.top_p = 1e-9},
      {.temperature = 2, .top_k = 20, .top_p = 0.7},
      {.repetition_penalty = 1.3},
      {.repetition_penalty = 1.3, .repetition_window = 2},
      {.repetition_penalty = 0.5, .repetition_window = 0, .top_p = 0.95},
      {.greedy = true},
      {.repetition_penalty = 5, .greedy = true},
  };
  for (const size_t V : {2, 67, 3000}) {
    for (size_t n = 0; n < cases.size(); ++n) {
      for (uint64_t seed = 0; seed < 5; ++seed) {
        const std::vector<float> scores = random_scores(V, seed, V > 100 ? 0.5F : 2);
        const std::vector<int32_t> written = {1, 0, 1, static_cast<int32_t>(V) - 1, 1};
        Sampler sampler(cases[n], static_cast<int64_t>(V), Stream(1));
        const int32_t id = sampler.next(scores, written, seed);
        SCOPED_TRACE(testing::Message() << "V " << V << " case " << n << " seed " << seed);
        const std::vector<double> expected = plain_probabilities(scores, written, cases[n]);
        expect_probabilities(sampler, expected);
        EXPECT_GT(expected[static_cast<size_t>(id)], 0);
      }
    }
  }
}

TEST(Sampler, NucleusIsTheSmallestSetThatReachesItsMass) {
  // 0.5, 0.25, 0.125, 0.125 of the ids 1 to 4
  const std::vector<float> scores = {9, std::log(4.0F), std::log(2.0F), 0, 0};
  const auto kept = [&](double p) {
    Sampler sampler({.top_p = p}, 5, Stream(1));
    sampler.next(scores, {}, 0);
    return std::vector<int32_t>(sampler.candidates().begin(), sampler.candidates().end());
  };
  EXPECT_THAT(kept(0.49), ElementsAre(1));
  EXPECT_THAT(kept(0.51), ElementsAre(1, 2));
  EXPECT_THAT(kept(0.74), ElementsAre(1, 2));
  EXPECT_THAT(kept(0.8), ElementsAre(1, 2, 3));
  EXPECT_THAT(kept(0.9), ElementsAre(1, 2, 3, 4));
}

TEST(Sampler, DrawsAsOftenAsTheProbabilitiesSay) {
  const std::vector<float> scores = random_scores(12, 7, 1);
  for (const SamplingOptions& options :
       {SamplingOptions{}, SamplingOptions{.temperature = 0.7, .top_k = 8, .top_p = 0.9}}) {
    const std::vector<double> expected = plain_probabilities(scores, {}, options);
    Sampler sampler(options, 12, Stream(11));
    constexpr int kDraws = 100000;
    std::vector<int> counts(12, 0);
    for (uint64_t step = 0; step < kDraws; ++step)
      ++counts[static_cast<size_t>(sampler.next(scores, {}, step))];
    double chi_square = 0;
    int freedom = -1;
    for (size_t id = 0; id < counts.size(); ++id) {
      const double mean = expected[id] * kDraws;
      if (mean == 0) {
        EXPECT_EQ(counts[id], 0) << id;
        continue;
      }
      chi_square += (counts[id] - mean) * (counts[id] - mean) / mean;
      ++freedom;
    }
    // mean `freedom`, deviation sqrt(2 freedom): beyond 5 deviations by chance once in 1e4 or less
    EXPECT_LT(chi_square, freedom + 5 * std::sqrt(2.0 * freedom));
  }
}

TEST(Sampler, SameStreamAndStepDrawTheSame) {
  const std::vector<float> scores = random_scores(100, 3, 1);
  const auto run = [&](const Stream& stream) {
    Sampler sampler({}, 100, stream);
    std::vector<int32_t> ids;
    for (uint64_t step = 0; step < 50; ++step) ids.push_back(sampler.next(scores, ids, step));
    return ids;
  };
  EXPECT_EQ(run(Stream(1, {0})), run(Stream(1, {0})));
  EXPECT_NE(run(Stream(1, {0})), run(Stream(1, {1})));
  EXPECT_NE(run(Stream(1, {0})), run(Stream(2, {0})));
  // the number belongs to the step, not to the calls before it
  Sampler fresh({}, 100, Stream(1, {0}));
  EXPECT_EQ(fresh.next(scores, {}, 49), run(Stream(1, {0})).back());
}

TEST(Sampler, GreedyTakesTheFirstOfTheLargest) {
  const std::vector<float> scores = {9, 1, 5, 5, 2};
  Sampler sampler({.greedy = true}, 5, Stream(1));
  EXPECT_EQ(sampler.next(scores, {}, 0), 2);
  Sampler with_unknown({.greedy = true, .allow_unknown = true}, 5, Stream(1));
  EXPECT_EQ(with_unknown.next(scores, {}, 0), 0);
}

TEST(Sampler, PenaltyOnNegativeScoresLowersThemToo) {
  Sampler sampler({.repetition_penalty = 2, .greedy = true}, 3, Stream(1));
  const std::vector<float> scores = {0, -1, -1.5F};
  EXPECT_EQ(sampler.next(scores, {}, 0), 1);
  EXPECT_EQ(sampler.next(scores, std::vector<int32_t>{1}, 1), 2);
  EXPECT_EQ(sampler.next(scores, std::vector<int32_t>{1, 1, 1, 2}, 2), 1)
      << "once however often it stands there";
  EXPECT_EQ(sampler.next(scores, {}, 3), 1) << "a call leaves nothing behind";
}

TEST(Sampler, HostileScoresAreNeverDrawn) {
  const float infinity = INFINITY, nan = NAN;
  Sampler sampler({}, 5, Stream(1));
  const std::vector<float> scores = {0, nan, infinity, -infinity, -3e38F};
  for (uint64_t step = 0; step < 20; ++step) EXPECT_EQ(sampler.next(scores, {}, step), 4);
  const std::vector<float> none(5, nan);
  EXPECT_THROW(sampler.next(none, {}, 0), DataError);
  EXPECT_THROW(sampler.next(std::span(scores).first(4), {}, 0), ShapeError);
  EXPECT_EQ(sampler.next(scores, std::vector<int32_t>{-1, 5, 1 << 30}, 0), 4) << "ids of no token";
  Sampler only_unknown({}, 1, Stream(1));
  EXPECT_THROW(only_unknown.next(std::span(scores).first(1), {}, 0), DataError);
}

std::string refusal(const SamplingOptions& options) {
  try {
    options.check();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(SamplingOptions, OptionWithoutEffectIsRefused) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.repetition_penalty = 1.2, .repetition_window = 9, .greedy = true}), "");
  EXPECT_THAT(refusal({.temperature = 0.5, .greedy = true}), HasSubstr("--temperature has no effect"));
  EXPECT_THAT(refusal({.top_k = 5, .greedy = true}), HasSubstr("--top-k has no effect"));
  EXPECT_THAT(refusal({.top_p = 0.5, .greedy = true}), HasSubstr("--top-p has no effect"));
  EXPECT_THAT(refusal({.repetition_window = 5}), HasSubstr("--repetition-window has no effect"));
}

TEST(SamplingOptions, NumbersOutOfRangeAreRefused) {
  EXPECT_THAT(refusal({.temperature = 0}), HasSubstr("--greedy"));
  EXPECT_THAT(refusal({.temperature = 1e-9}), HasSubstr("--greedy"));
  EXPECT_THAT(refusal({.temperature = -1}), HasSubstr("--temperature"));
  EXPECT_THAT(refusal({.temperature = NAN}), HasSubstr("--temperature"));
  EXPECT_THAT(refusal({.top_k = -1}), HasSubstr("--top-k"));
  EXPECT_THAT(refusal({.top_p = 0}), HasSubstr("--greedy"));
  EXPECT_THAT(refusal({.top_p = 1.01}), HasSubstr("--top-p"));
  EXPECT_THAT(refusal({.repetition_penalty = 0}), HasSubstr("--repetition-penalty"));
}

TEST(Sampler, AllocatesNothingADraw) {
  const std::vector<float> scores = random_scores(5000, 3, 0.1F);
  const std::vector<int32_t> written = {4, 5, 6};
  for (const SamplingOptions& options : {SamplingOptions{}, SamplingOptions{.top_k = 40},
                                         SamplingOptions{.repetition_penalty = 1.2, .top_p = 0.9}}) {
    Sampler sampler(options, 5000, Stream(1));
    const int64_t before = allocations();
    for (uint64_t step = 0; step < 3; ++step) sampler.next(scores, written, step);
    EXPECT_EQ(allocations(), before);
  }
}

}  // namespace
}  // namespace rondo
