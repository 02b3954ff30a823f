#include "inference/beam_search.h"

#include <gmock/gmock.h>

#include <map>

#include "tabular_model.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Found = std::vector<std::vector<Hypothesis>>;

/// Every sequence of at most `longest` tokens and an end, by its ids.
std::map<std::vector<int32_t>, double> all_sequences(const TabularModel& model, int64_t longest) {
  std::map<std::vector<int32_t>, double> all;
  std::vector<std::pair<std::vector<int32_t>, double>> open = {{{}, 0.0}};
  for (int64_t length = 0; length <= longest; ++length) {
    std::vector<std::pair<std::vector<int32_t>, double>> longer;
    for (const auto& [ids, before] : open) {
      const std::vector<float> table = model.log_probabilities(0, ids);
      all[ids] = before + table[0];
      for (int32_t v = 1; v < model.vocabulary(); ++v) {
        longer.emplace_back(ids, before + table[static_cast<size_t>(v)]);
        longer.back().first.push_back(v);
      }
    }
    open = std::move(longer);
  }
  return all;
}

std::vector<int32_t> greedy(const TabularModel& model, int64_t longest) {
  std::vector<int32_t> ids;
  while (static_cast<int64_t>(ids.size()) < longest) {
    const std::vector<float> table = model.log_probabilities(0, ids);
    const auto best = static_cast<int32_t>(std::ranges::max_element(table) - table.begin());
    if (best == 0) break;
    ids.push_back(best);
  }
  return ids;
}

std::vector<float> attention_along(const TabularModel& model, const std::vector<int32_t>& ids) {
  std::vector<float> rows;
  for (size_t count = 0; count <= ids.size(); ++count) {
    const auto row = model.attention(0, {ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count)});
    rows.insert(rows.end(), row.begin(), row.end());
  }
  return rows;
}

double true_log_probability(const TabularModel& model, const std::vector<int32_t>& ids) {
  double sum = 0;
  std::vector<int32_t> before;
  for (const int32_t id : ids) {
    sum += model.log_probabilities(0, before)[static_cast<size_t>(id)];
    before.push_back(id);
  }
  return sum + model.log_probabilities(0, before)[0];
}

TEST(BeamSearch, WidthOneIsGreedy) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    TabularModel model({{.seed = seed}}, 6, 3);
    const Found found = beam_search(model, {.beam = 1, .alpha = 1, .max_ratio = 2, .max_extra = 4});
    ASSERT_EQ(found[0].size(), 1U);
    EXPECT_EQ(found[0][0].ids, greedy(model, 10)) << seed;
    EXPECT_EQ(model.most_rows, 1);
  }
}

struct Scores {
  double alpha, coverage;
};

class WideBeam : public testing::TestWithParam<Scores> {};

TEST_P(WideBeam, IsExhaustiveSearch) {
  constexpr int64_t kVocabulary = 4, kLongest = 5;
  const Scores scores = GetParam();
  for (uint64_t seed = 0; seed < 10; ++seed) {
    TabularModel model({{.seed = seed, .source_length = 2}}, kVocabulary, 1);
    std::vector<std::pair<double, std::vector<int32_t>>> ranked;
    for (const auto& [ids, log_probability] : all_sequences(model, kLongest)) {
      const double penalty = coverage_penalty(attention_along(model, ids), 2, scores.coverage);
      const auto tokens = static_cast<int64_t>(ids.size()) + 1;
      ranked.emplace_back(-(log_probability / length_penalty(tokens, scores.alpha) + penalty), ids);
    }
    std::ranges::sort(ranked);
    const Found found = beam_search(model, {.beam = 1000,
                                            .alpha = scores.alpha,
                                            .coverage = scores.coverage,
                                            .n_best = 20,
                                            .max_ratio = 0,
                                            .max_extra = kLongest});
    ASSERT_EQ(found[0].size(), 20U);
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_EQ(found[0][i].ids, ranked[i].second) << "seed " << seed << ", hypothesis " << i;
      EXPECT_NEAR(found[0][i].score, -ranked[i].first, 1e-9);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(BeamSearch, WideBeam,
                         testing::Values(Scores{0, 0}, Scores{0.6, 0}, Scores{1, 0.2}, Scores{2, 1}));

TEST(BeamSearch, WithoutPenaltiesTheScoreIsTheLogProbability) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TabularModel model({{.seed = seed}}, 8);
    const Found found = beam_search(model, {.beam = 4, .alpha = 0, .n_best = 4});
    for (const Hypothesis& hypothesis : found[0]) {
      EXPECT_EQ(hypothesis.score, hypothesis.log_probability);
      EXPECT_NEAR(hypothesis.log_probability, true_log_probability(model, hypothesis.ids), 1e-12);
      EXPECT_TRUE(hypothesis.ended);
    }
  }
}

TEST(BeamSearch, StopsOnlyWhenNothingCanWin) {
  // The early stop must not change what is found: a search that looks for more finds the same best ones.
  for (uint64_t seed = 0; seed < 100; ++seed) {
    TabularModel stops({{.seed = seed}}, 5, 2), goes_on({{.seed = seed}}, 5, 2);
    const Found one = beam_search(stops, {.beam = 4, .alpha = 1});
    const Found four = beam_search(goes_on, {.beam = 4, .alpha = 1, .n_best = 4});
    EXPECT_EQ(one[0][0].ids, four[0][0].ids) << seed;
    EXPECT_LE(stops.steps, goes_on.steps);
  }
}

TEST(BeamSearch, AnyCompanyGivesTheSameBits) {
  std::vector<TabularSentence> sentences;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    sentences.push_back({.seed = seed, .source_length = 1 + static_cast<int64_t>(seed % 7)});
  }
  const BeamOptions options{.beam = 3, .coverage = 0.3, .n_best = 3, .keep_attention = true};
  TabularModel together(sentences, 7);
  const Found all = beam_search(together, options);
  ASSERT_EQ(all.size(), sentences.size());
  EXPECT_LE(together.most_rows, 3 * 20);
  for (size_t s = 0; s < sentences.size(); ++s) {
    TabularModel alone({sentences[s]}, 7);
    const Found one = beam_search(alone, options);
    ASSERT_EQ(one[0].size(), all[s].size());
    for (size_t i = 0; i < one[0].size(); ++i) {
      EXPECT_EQ(one[0][i].ids, all[s][i].ids);
      EXPECT_EQ(one[0][i].score, all[s][i].score);
      EXPECT_EQ(one[0][i].attention, all[s][i].attention);
    }
  }
}

TEST(BeamSearch, AttentionIsThatOfTheWayToEachHypothesis) {
  TabularModel model({{.seed = 3, .source_length = 4}}, 6);
  const Found found = beam_search(model, {.beam = 4, .n_best = 4, .keep_attention = true});
  ASSERT_EQ(found[0].size(), 4U);
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_EQ(hypothesis.attention, attention_along(model, hypothesis.ids));
  }
  const Found without = beam_search(model, {.beam = 1});
  EXPECT_TRUE(without[0][0].attention.empty());
}

TEST(BeamSearch, LengthsAreKept) {
  TabularModel never_ends({{.seed = 1, .source_length = 4}}, 5, 0);
  const BeamOptions options{
      .beam = 3, .alpha = 0, .n_best = 3, .min_length = 3, .max_ratio = 0.5, .max_extra = 2};
  EXPECT_EQ(options.max_length(4), 4);
  const Found found = beam_search(never_ends, options);
  for (const Hypothesis& hypothesis : found[0]) {
    EXPECT_GE(hypothesis.ids.size(), 3U);
    EXPECT_LE(hypothesis.ids.size(), 4U);
  }
  EXPECT_EQ((BeamOptions{.min_length = 50}.max_length(1)), 12);
  const Found short_ones =
      beam_search(never_ends, {.beam = 2, .min_length = 50, .max_ratio = 0, .max_extra = 2});
  EXPECT_EQ(short_ones[0][0].ids.size(), 2U);
  EXPECT_GT((BeamOptions{.max_ratio = 1000, .max_extra = 1000000}.max_length(int64_t{1} << 60)), 0);
}

TEST(BeamSearch, ForbiddenTokensAreNotWritten) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    TabularModel model({{.seed = seed}}, 5);
    const Found found = beam_search(model, {.beam = 3, .n_best = 3, .forbidden = {2, 4}});
    for (const Hypothesis& hypothesis : found[0]) {
      EXPECT_THAT(hypothesis.ids, testing::Each(testing::AnyOf(1, 3)));
    }
  }
}

TEST(BeamSearch, NeverMoreHypothesesThanThereAre) {
  // Nothing but the end: one translation, however many are asked for.
  TabularModel model({{.seed = 1}}, 1);
  EXPECT_EQ(beam_search(model, {.beam = 5, .n_best = 5})[0].size(), 1U);
  EXPECT_THAT([&] { beam_search(model, {.beam = 2, .n_best = 3}); },
              testing::ThrowsMessage<ConfigError>(HasSubstr("n-best is 3, but beam 2")));
}

TEST(BeamSearch, NoSentencesGiveNothing) {
  TabularModel model({}, 5);
  EXPECT_TRUE(beam_search(model, {}).empty());
  EXPECT_EQ(model.steps, 0);
}

/// The same probabilities at every step.
class FixedModel : public SearchModel {
 public:
  explicit FixedModel(std::vector<float> row) : row_(std::move(row)) {}
  int64_t sentences() const override { return 1; }
  int64_t source_length(int64_t) const override { return 1; }
  int64_t vocabulary() const override { return static_cast<int64_t>(row_.size()); }
  int32_t end() const override { return 0; }
  SearchStep step(std::span<const int32_t> previous) override {
    SearchStep next{.log_probabilities = Tensor({static_cast<int64_t>(previous.size()), vocabulary()}),
                    .attention = {}};
    for (size_t r = 0; r < previous.size(); ++r) {
      std::ranges::copy(row_, next.log_probabilities.data<float>() + r * row_.size());
    }
    return next;
  }
  void select(std::span<const int32_t>) override {}

 private:
  std::vector<float> row_;
};

TEST(BeamSearch, TiesComeInAFixedOrder) {
  const float third = std::log(1 / 3.0F);
  FixedModel model({third, third, third});
  const Found found =
      beam_search(model, {.beam = 3, .alpha = 0, .n_best = 3, .max_ratio = 0, .max_extra = 1});
  ASSERT_EQ(found[0].size(), 3U);
  EXPECT_THAT(found[0][0].ids, ElementsAre());
  EXPECT_THAT(found[0][1].ids, ElementsAre(1));
  EXPECT_THAT(found[0][2].ids, ElementsAre(2));
}

TEST(BeamSearch, WhatCannotBeIsNotWritten) {
  const float none = -std::numeric_limits<float>::infinity(), nan = std::nanf("");
  FixedModel model({std::log(0.5F), none, nan, std::log(0.5F)});
  const Found found = beam_search(model, {.beam = 8, .n_best = 8, .max_extra = 2});
  for (const Hypothesis& hypothesis : found[0]) EXPECT_THAT(hypothesis.ids, testing::Each(3));
  FixedModel stuck({none, none});
  const Found nothing = beam_search(stuck, {});
  ASSERT_EQ(nothing[0].size(), 1U);
  EXPECT_FALSE(nothing[0][0].ended);
  EXPECT_TRUE(nothing[0][0].ids.empty());
}

TEST(BeamSearch, PenaltiesAreThoseOfThePaper) {
  EXPECT_EQ(length_penalty(7, 0), 1);
  EXPECT_NEAR(length_penalty(7, 1), 2, 1e-15);
  EXPECT_NEAR(length_penalty(19, 0.5), 2, 1e-15);
  const std::vector<float> covered = {0.75F, 0.25F, 0.25F, 0.75F};
  EXPECT_EQ(coverage_penalty(covered, 2, 0.2), 0);
  const std::vector<float> more = {1, 0.5F, 1, 0.5F};
  EXPECT_EQ(coverage_penalty(more, 2, 0.2), 0);
  const std::vector<float> half = {0.5F, 0.25F, 0.5F, 0.25F};
  EXPECT_NEAR(coverage_penalty(half, 2, 0.2), 0.2 * std::log(0.5), 1e-12);
}

}  // namespace
}  // namespace rondo
