// BLEU, chrF and TER against what sacrebleu computed (tools/make_translation_goldens.py).
#include "training/translation_metrics.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/files.h"
#include "rondo/errors.h"
#include "training/translation_edit_rate.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Json = nlohmann::json;
using References = std::vector<std::string>;

template <class Metric>
TranslationScore score_of(Metric metric, const Json& pairs) {
  const auto hypotheses = pairs.at("hypotheses").get<std::vector<std::string>>();
  const auto references = pairs.at("references").get<std::vector<References>>();
  for (size_t i = 0; i < hypotheses.size(); ++i) metric.add(hypotheses[i], references[i]);
  return metric.score();
}

TranslationScore score_of(const Json& wanted, const Json& pairs) {
  const Json& options = wanted.at("options");
  const bool lower_case = options.value("lowercase", false);
  if (wanted.at("metric") == "ter") return score_of(Ter(), pairs);
  if (wanted.at("metric") == "chrf") {
    return score_of(Chrf({.word_order = options.at("word_order").get<int>(), .lower_case = lower_case}),
                    pairs);
  }
  const BleuTokenizer tokenizer = parse_bleu_tokenizer(options.at("tokenize").get<std::string>());
  return score_of(Bleu({.tokenizer = tokenizer, .lower_case = lower_case}), pairs);
}

TEST(TranslationMetrics, AreSacrebleus) {
  const Json golden = Json::parse(read_file(RONDO_TESTS_DIR "/goldens/translation_metrics.json"));
  ASSERT_GE(golden.at("cases").size(), 30U);
  std::set<std::string> metrics;
  for (const Json& pairs : golden.at("cases")) {
    for (const Json& wanted : pairs.at("scores")) {
      SCOPED_TRACE(fmt::format("{} {} {}", pairs.at("name").dump(), wanted.at("metric").dump(),
                               wanted.at("options").dump()));
      const TranslationScore score = score_of(wanted, pairs);
      EXPECT_NEAR(score.score, wanted.at("score").get<double>(), 1e-9);  // asked for is 0.01
      EXPECT_EQ(score.settings, wanted.at("signature").get<std::string>());
      const std::string text = wanted.at("text").get<std::string>();
      EXPECT_EQ(score.line("1"),
                score.name + "|" + score.settings + "|version:1" + text.substr(text.find(' ')));
      EXPECT_EQ(score.name, text.substr(0, text.find(' ')));
      metrics.insert(score.name);
    }
  }
  EXPECT_THAT(metrics, ElementsAre("BLEU", "TER", "chrF2", "chrF2++"));
}

TEST(TranslationMetrics, APerfectTranslationIsPerfect) {
  const std::string text = "Fünf Wörter, und kein Fehler.";
  const References same{text};
  Bleu bleu;
  Chrf chrf({.word_order = 2});
  Ter ter;
  bleu.add(text, same);
  chrf.add(text, same);
  ter.add(text, same);
  EXPECT_DOUBLE_EQ(bleu.score().score, 100);
  EXPECT_DOUBLE_EQ(chrf.score().score, 100);
  EXPECT_EQ(ter.score().score, 0);
}

TEST(TranslationMetrics, JsonCarriesTheSignature) {
  Ter ter;
  ter.add("a b", References{"a c"});
  EXPECT_EQ(ter.score().to_json("2.0"),
            Json({{"name", "TER"},
                  {"score", 50.0},
                  {"signature", "nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.0"}}));
  Bleu bleu;
  bleu.add("a b", References{"a c"});
  EXPECT_THAT(bleu.score().to_json("2.0").at("verbose_score").get<std::string>(), HasSubstr("hyp_len = 2"));
}

template <class Metric>
void expect_refusals(Metric metric) {
  metric.add("a b c d", References{"a b c d e"});
  const double before = metric.score().score;
  EXPECT_THROW(metric.add("a", References{}), ConfigError);
  EXPECT_THROW(metric.add("a \xFF", References{"a"}), DataError);
  EXPECT_THROW(metric.add("a", References{"a", "\xC3"}), DataError);
  EXPECT_EQ(metric.score().score, before);
}

TEST(TranslationMetrics, WhatCannotBeCountedIsRefusedAndChangesNothing) {
  expect_refusals(Bleu());
  expect_refusals(Chrf());
  expect_refusals(Ter());
  EXPECT_THROW(Chrf({.word_order = -1}), ConfigError);
  EXPECT_THROW(parse_bleu_tokenizer("zh"), ConfigError);
}

TEST(TranslationMetrics, NothingCountedIsZero) {
  EXPECT_EQ(Bleu().score().score, 0);
  EXPECT_EQ(Chrf().score().score, 0);
  EXPECT_EQ(Ter().score().score, 0);
}

TEST(TranslationTokenizers, FollowTheirRules) {
  EXPECT_EQ(cut_for_bleu("It's 1,000.5-2, &amp;lt; (ok). ", BleuTokenizer::k13a),
            "It's 1,000.5 - 2 , < ( ok ) .");
  EXPECT_EQ(cut_for_bleu("«a» 3,5 $b.", BleuTokenizer::kIntl), "« a » 3,5 $ b .");
  EXPECT_EQ(cut_for_bleu("ü b", BleuTokenizer::kChar), "ü b");
  EXPECT_EQ(cut_for_bleu(" a.\u00A0b ", BleuTokenizer::kNone), "a. b");
  EXPECT_EQ(cut_for_bleu("a-\nb\nc\n", BleuTokenizer::k13a), "ab c");
  EXPECT_EQ(cut_for_bleu("", BleuTokenizer::k13a), "");
}

TEST(TranslationEdits, AMovedBlockIsOneEdit) {
  const std::vector<int32_t> reference{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(translation_edits(reference, reference), 0);
  EXPECT_EQ(translation_edits(std::vector<int32_t>{4, 5, 6, 1, 2, 3}, reference), 1);
  EXPECT_EQ(translation_edits({}, reference), 6);
  EXPECT_EQ(translation_edits(reference, {}), 6);
}

TEST(TranslationEdits, LongSentencesEnd) {
  std::vector<int32_t> words(2000);
  for (size_t i = 0; i < words.size(); ++i) words[i] = static_cast<int32_t>(i * i % 97);
  std::vector<int32_t> turned(words.rbegin(), words.rend());
  const int64_t edits = translation_edits(turned, words);
  EXPECT_GT(edits, 500);
  EXPECT_LE(edits, 2000);
}

}  // namespace
}  // namespace rondo
