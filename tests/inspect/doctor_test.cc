// What a doctor finds in small corpora in which one thing is wrong, and that it finds nothing where nothing
// is.
#include "inspect/doctor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "inspect/label_checks.h"
#include "inspect/model_checks.h"
#include "inspect/raw_lines.h"
#include "storage/test_files.h"
#include "tensor/device.h"

namespace rondo {
namespace {

using testing::HasSubstr;

const char* const kWords[] = {"goal", "match", "chip", "server", "vote", "treaty",
                              "the",  "a",     "of",   "in",     "on",   "after"};

/// Sentence `n`: no two are equal, all are of like length.
std::string sentence(int n) {
  std::string text;
  for (int i = 0; i < 5; ++i, n /= 12) text += std::string(kWords[(n + 5 * i) % 12]) + " ";
  return text + "today";
}

/// CSV of `count` different texts with two labels.
std::string csv(int count, int first) {
  std::string text = "label,text\n";
  for (int n = first; n < first + count; ++n) text += (n % 2 == 0 ? "even," : "odd,") + sentence(n) + "\n";
  return text;
}

class Doctor : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& content) {
    put_bytes(folder_.file(name), content);
    return folder_.file(name);
  }
  Diagnosis examined(const DoctorFiles& files, const ExaminedFormat& format = {}) {
    const auto backend = open_device("cpu", 1);
    return examine(files, format, *backend);
  }
  /// The findings of train (and dev) with `more` rows behind them.
  Diagnosis with_rows(const std::string& train, const std::string& dev = "") {
    return examined({.train = write("train.csv", csv(400, 0) + train),
                     .target = {},
                     .dev = write("dev.csv", csv(250, 1000) + dev),
                     .dev_target = {},
                     .model = {}});
  }
  TestFolder folder_;
};

const Finding* find(const Diagnosis& diagnosis, const std::string& check) {
  for (const Finding& finding : diagnosis.findings) {
    if (finding.check == check) return &finding;
  }
  return nullptr;
}

TEST_F(Doctor, ACleanCorpusIsSaidToBeClean) {
  const Diagnosis diagnosis = with_rows("");
  EXPECT_TRUE(diagnosis.findings.empty()) << diagnosis.text();
  EXPECT_THAT(diagnosis.text(), HasSubstr("Clean: nothing was found. Checked: encoding, "));
  for (const char* check :
       {"overlap", "duplicates", "conflicting labels", "rare labels", "unseen labels", "imbalance",
        "unknown words", "lengths", "encoding", "characters", "leaking words", "empty texts"}) {
    EXPECT_THAT(diagnosis.checked, testing::Contains(check));
  }
}

TEST_F(Doctor, TextsOfDevThatTrainHasAreAProblemWithTheirPlaces) {
  std::string rows;
  for (int n = 0; n < 10; ++n) rows += (n % 2 == 0 ? "even," : "odd,") + sentence(n) + "\n";
  const Diagnosis diagnosis = with_rows("", rows);
  const Finding* overlap = find(diagnosis, "overlap");
  ASSERT_NE(overlap, nullptr);
  EXPECT_EQ(overlap->severity, Severity::kProblem);
  EXPECT_THAT(overlap->what, HasSubstr("10 of 260 texts"));
  ASSERT_EQ(overlap->where.size(), 3U);
  EXPECT_THAT(overlap->where[0], HasSubstr("dev.csv:252 is "));
  EXPECT_THAT(overlap->where[0], HasSubstr("train.csv:2"));
}

TEST_F(Doctor, CaseAndPunctuationDoNotHideADuplicate) {
  const Diagnosis diagnosis =
      with_rows("even,\"A Match, of the day!\"\neven,a match of the day\n", "even,A match of the day.\n");
  const Finding* duplicates = find(diagnosis, "duplicates");
  ASSERT_NE(duplicates, nullptr);
  EXPECT_THAT(duplicates->what, HasSubstr("1 of 402 texts"));
  EXPECT_THAT(duplicates->where[0], HasSubstr("is like"));
  const Finding* overlap = find(diagnosis, "overlap");
  ASSERT_NE(overlap, nullptr);
  EXPECT_THAT(overlap->what, HasSubstr("but for case, punctuation and white space"));
}

TEST_F(Doctor, OneTextUnderTwoLabelsIsAConflict) {
  const Finding* found = nullptr;
  const Diagnosis diagnosis = with_rows("even,one odd thing here\nodd,one odd thing here\n");
  ASSERT_NE(found = find(diagnosis, "conflicting labels"), nullptr);
  EXPECT_THAT(found->where[0], HasSubstr("train.csv:403: odd against "));
  EXPECT_THAT(found->where[0], HasSubstr("train.csv:402: even"));
}

TEST_F(Doctor, RareAndUnseenLabelsAreNamed) {
  const Diagnosis diagnosis = with_rows("third,a rare text of the day\n", "fourth,another text of the day\n");
  const Finding* rare = find(diagnosis, "rare labels");
  ASSERT_NE(rare, nullptr);
  EXPECT_THAT(rare->where[0], HasSubstr("third: 1 of them"));
  const Finding* unseen = find(diagnosis, "unseen labels");
  ASSERT_NE(unseen, nullptr);
  EXPECT_EQ(unseen->severity, Severity::kProblem);
  EXPECT_THAT(unseen->where[0], HasSubstr("fourth"));
}

TEST_F(Doctor, AWordThatTellsTheLabelIsALeak) {
  std::string train = "label,text\n", dev = train;
  for (int n = 0; n < 400; ++n) {
    train += (n % 2 == 0 ? "even," : "odd,") + sentence(n) + (n % 2 == 0 ? " reuters" : "") + "\n";
    dev += (n % 2 == 0 ? "even," : "odd,") + sentence(n + 1000) + "\n";
  }
  const Diagnosis diagnosis = examined({.train = write("train.csv", train),
                                        .target = {},
                                        .dev = write("dev.csv", dev),
                                        .dev_target = {},
                                        .model = {}});
  const Finding* leak = find(diagnosis, "leaking words");
  ASSERT_NE(leak, nullptr);
  EXPECT_EQ(leak->severity, Severity::kProblem);
  EXPECT_THAT(leak->where[0],
              HasSubstr("\"reuters\": 200 of 200 texts are even, 100.0 % of that label's texts"));
}

TEST_F(Doctor, BytesAreLookedAtLineByLine) {
  const Diagnosis diagnosis = with_rows(
      "even,caf\xE9 of the day\nodd,\x01 control here\neven,caf\xC3\x83\xC2\xA9 again\n"
      "odd,lost \xEF\xBF\xBD text\neven,bread &amp; butter\nodd,gr\xC3\xBC\xC3\x9F dich\n");
  std::vector<std::string> places;
  for (const Finding& finding : diagnosis.findings) {
    if (finding.check == "encoding" || finding.check == "characters" || finding.check == "markup") {
      places.push_back(finding.where[0].substr(finding.where[0].rfind(':') + 1));
    }
  }
  EXPECT_THAT(places, testing::ElementsAre("402", "404", "405", "403", "406"));
  const Finding* encoding = find(diagnosis, "encoding");
  EXPECT_EQ(encoding->severity, Severity::kProblem);
  EXPECT_THAT(encoding->advice, HasSubstr("mixes encodings"));
}

TEST(RawLines, MojibakeIsTold) {
  EXPECT_TRUE(has_mojibake("caf\xC3\x83\xC2\xA9"));                  // U+00C3 U+00A9
  EXPECT_TRUE(has_mojibake("it\xC3\xA2\xE2\x82\xAC\xE2\x84\xA2s"));  // U+00E2 U+20AC U+2122
  EXPECT_FALSE(has_mojibake("caf\xC3\xA9"));                         // an accent
  EXPECT_FALSE(has_mojibake("it\xE2\x80\x99s \xC3\xA2ge \xE2\x80\x94 d\xC3\xA9j\xC3\xA0"));
  EXPECT_FALSE(has_mojibake("\xC3\x83"));
  EXPECT_FALSE(has_mojibake(""));
}

TEST_F(Doctor, EmptyAndFarTooLongTextsAreFound) {
  std::string far;
  for (int n = 0; n < 300; ++n) far += "match ";
  const Diagnosis diagnosis = with_rows("even,...\nodd,\"\"\neven," + far + "\n");
  const Finding* empty = find(diagnosis, "empty texts");
  ASSERT_NE(empty, nullptr);
  EXPECT_THAT(empty->where[0], HasSubstr(":403"));
  const Finding* lengths = find(diagnosis, "lengths");
  ASSERT_NE(lengths, nullptr);
  EXPECT_THAT(lengths->where[0], HasSubstr(":404: 300 words"));
}

TEST_F(Doctor, WordsThatTrainLacksAreCounted) {
  std::string rows;
  for (int n = 0; n < 100; ++n) rows += "even,zebra yak xylem walrus vole\n";
  const Diagnosis diagnosis = with_rows("", rows);
  const Finding* unknown = find(diagnosis, "unknown words");
  ASSERT_NE(unknown, nullptr);
  EXPECT_EQ(unknown->severity, Severity::kWarning);
  EXPECT_THAT(unknown->what, HasSubstr("500 of 2,000 words"));
}

TEST_F(Doctor, TagsAreLookedAtAsTags) {
  std::string text;
  for (int n = 0; n < 300; ++n)
    text += std::string(kWords[n % 12]) + " O\n" + std::to_string(n) + " B-NUM\nand O\n\n";
  text += "the O\nAda I-PER\n\n";
  const Diagnosis diagnosis =
      examined({.train = write("train.conll", text), .target = {}, .dev = {}, .dev_target = {}, .model = {}});
  const Finding* order = find(diagnosis, "order of tags");
  ASSERT_NE(order, nullptr);
  EXPECT_THAT(order->where[0], HasSubstr("train.conll:1201: I-PER at word 2"));
  const Finding* rare = find(diagnosis, "rare labels");
  ASSERT_NE(rare, nullptr);
  EXPECT_THAT(rare->where[0], HasSubstr("I-PER: 1 of them"));
}

TEST_F(Doctor, PairsAreLookedAtAsPairs) {
  std::string source, target;
  for (int n = 0; n < 300; ++n) {
    source += sentence(n) + "\n";
    target += "ein " + sentence(n + 1) + " hier\n";
  }
  source +=
      "the same words here\none two three four five six seven eight nine ten eleven twelve thirteen\n\n";
  target += "The same words here.\neins\nkeine\n";
  const Diagnosis diagnosis = examined({.train = write("train.en", source),
                                        .target = write("train.de", target),
                                        .dev = {},
                                        .dev_target = {},
                                        .model = {}});
  const Finding* same = find(diagnosis, "identical sides");
  ASSERT_NE(same, nullptr);
  EXPECT_THAT(same->where[0], HasSubstr("train.en:301"));
  const Finding* ratio = find(diagnosis, "length ratio");
  ASSERT_NE(ratio, nullptr);
  EXPECT_THAT(ratio->where[0], HasSubstr("train.en:302: 13 words and 1"));
  const Finding* empty = find(diagnosis, "empty texts");
  ASSERT_NE(empty, nullptr);
  EXPECT_THAT(empty->what, HasSubstr("1 of 303 pairs"));
}

TEST_F(Doctor, LinesOfRunningTextMayRepeatWhereTheyAreShort) {
  const std::string chapter = "Chapter\n\n", line = "the same long line of eight words again\n";
  const Diagnosis diagnosis = examined({.train = write("a.txt", chapter + line + chapter + line + "\n"),
                                        .target = {},
                                        .dev = write("b.txt", chapter + line),
                                        .dev_target = {},
                                        .model = {}});
  ASSERT_NE(find(diagnosis, "duplicates"), nullptr);
  EXPECT_THAT(find(diagnosis, "duplicates")->what, HasSubstr("1 of 4 lines"));
  EXPECT_THAT(find(diagnosis, "overlap")->what, HasSubstr("1 of 2 lines"));
}

TEST_F(Doctor, WhatNoTrainingWouldReadIsRefused) {
  EXPECT_THROW(examined({.train = write("empty.csv", "")}), DataError);
  EXPECT_THROW(examined({.train = folder_.file("nowhere.csv")}), IoError);
  EXPECT_THROW(examined({.train = "-"}), ConfigError);
  EXPECT_THROW(examined({.train = write("train.csv", csv(10, 0)),
                         .target = {},
                         .dev = {},
                         .dev_target = {},
                         .model = write("m.rondo", "no model")}),
               FormatError);
}

DirectionStatistics direction(int64_t units, int64_t rows) {
  const auto n = static_cast<size_t>(units);
  return {.place = {.part = "", .layer = 1, .reverse = true, .dimension = -1},
          .rows = rows,
          .gates = {{"f", std::vector<int64_t>(n, 0), std::vector<int64_t>(n, 0)}},
          .first = std::vector<float>(n, 0),
          .sum = std::vector<double>(n, 0),
          .sum_of_squares = std::vector<double>(n, static_cast<double>(rows))};
}

TEST(ModelChecks, DeadAndSaturatedUnitsAreNamedByTheirPlace) {
  DirectionStatistics layer = direction(10, 1000);
  layer.sum_of_squares[3] = 0;    // never moves
  layer.gates[0].high[7] = 1000;  // always open
  layer.gates[0].low[8] = 985;    // nearly always shut: not enough
  Diagnosis diagnosis;
  check_units(std::vector{layer}, diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 2U);
  EXPECT_THAT(diagnosis.findings[0].where, testing::ElementsAre("layer 2, backwards: 1 of 10 units (3)"));
  EXPECT_THAT(diagnosis.findings[1].where,
              testing::ElementsAre("layer 2, backwards, f open: 1 of 10 units (7)"));
  EXPECT_EQ(diagnosis.findings[1].severity, Severity::kNote);
  for (size_t u = 0; u < 4; ++u) layer.gates[0].high[u] = 1000;
  Diagnosis worse;
  check_units(std::vector{layer}, worse);
  EXPECT_EQ(worse.findings[1].severity, Severity::kWarning);
}

TEST(ModelChecks, FewStepsTellNothingOfUnits) {
  Diagnosis diagnosis;
  check_units(std::vector{direction(4, 12)}, diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 1U);
  EXPECT_THAT(diagnosis.findings[0].what, HasSubstr("12 steps are too few"));
}

nlohmann::json evaluation(int64_t update, double train, double dev, bool best, double clipped) {
  return {{"update", update},  {"train_loss", train}, {"dev_loss", dev},
          {"dev_metric", 0.5}, {"best", best},        {"clipped_share", clipped}};
}

TEST(ModelChecks, OverFittingAndClippingAreReadFromTheTraining) {
  Diagnosis diagnosis;
  check_training({{"history",
                   {evaluation(10, 1.0, 0.9, true, 0.2), evaluation(20, 0.5, 0.8, true, 0.4),
                    evaluation(30, 0.1, 1.4, false, 0.8)}},
                  {"skipped", 2}},
                 diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 3U);
  EXPECT_THAT(diagnosis.findings[0].what, HasSubstr("rose from 0.8 at update 20 to 1.4"));
  EXPECT_THAT(diagnosis.findings[1].what, HasSubstr("80.0 % of the updates"));
  EXPECT_THAT(diagnosis.findings[2].what, HasSubstr("2 updates were skipped"));
}

TEST(ModelChecks, MetricsOfAnyShapeAreEndured) {
  for (const nlohmann::json& metrics :
       {nlohmann::json(), nlohmann::json(3), nlohmann::json{{"history", 3}},
        nlohmann::json{{"history", {1, "x", nullptr}}}, nlohmann::json{{"history", {{{"update", "x"}}}}},
        nlohmann::json{{"skipped", "many"}}}) {
    Diagnosis diagnosis;
    check_training(metrics, diagnosis);
    EXPECT_TRUE(diagnosis.findings.empty()) << metrics;
  }
}

TEST(ModelChecks, ConfusionAndCalibrationAreCounted) {
  Predictions p{.labels = {"a", "b", "c"}, .truth = {}, .predicted = {}, .probability = {}, .places = {}};
  for (int i = 0; i < 100; ++i) {
    p.truth.push_back(i % 3);
    p.predicted.push_back(i % 3 == 2 ? 1 : i % 3);  // c is never told
    p.probability.push_back(0.95F);
    p.places.push_back("x:" + std::to_string(i));
  }
  Diagnosis diagnosis;
  check_predictions(p, "texts", diagnosis);
  ASSERT_EQ(diagnosis.findings.size(), 3U);
  EXPECT_THAT(diagnosis.findings[0].where, testing::ElementsAre("c: 33 texts"));
  EXPECT_THAT(diagnosis.findings[1].where, testing::ElementsAre("c taken for b: 33 of 33, the first at x:2"));
  EXPECT_EQ(diagnosis.findings[2].check, "calibration");
  EXPECT_THAT(diagnosis.findings[2].what, HasSubstr("too sure of itself"));
  for (int32_t& label : p.predicted) label = 0;
  Diagnosis hopeless;
  check_predictions(p, "texts", hopeless);
  EXPECT_EQ(hopeless.findings[0].severity, Severity::kProblem);
}

TEST(Findings, AreWrittenForPeopleAndForMachines) {
  Diagnosis diagnosis{.measures = {{"train", "a.csv: 2 texts"}}, .checked = {"overlap"}, .findings = {}};
  for (const Severity severity : {Severity::kNote, Severity::kProblem}) {
    diagnosis.findings.push_back({severity, "overlap", "it overlaps", {"1", "2", "3", "4"}, "take it out."});
  }
  diagnosis.sort();
  EXPECT_EQ(
      diagnosis.text(),
      "train  a.csv: 2 texts\n\nPROBLEM [overlap] it overlaps\n  1\n  2\n  3\n  What to do: take it out.\n\n"
      "NOTE [overlap] it overlaps\n  1\n  2\n  3\n  What to do: take it out.\n\n"
      "1 problem, 0 warnings, 1 note. Checked: overlap.\n");
  EXPECT_EQ(diagnosis.to_json()["findings"][0]["severity"], "problem");
  EXPECT_EQ(diagnosis.to_json()["problems"], 1);
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(part_of(1, 3000, "texts"), "1 of 3,000 texts (0.033 %)");
}

}  // namespace
}  // namespace rondo
