#include "training/spans.h"

#include <gtest/gtest.h>

#include <iterator>
#include <sstream>

#include "rondo/errors.h"

namespace rondo {
namespace {

std::vector<std::string> tags_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}

/// "0-2 PER, 3-4 LOC" for B-PER I-PER O B-LOC.
std::string spans_of(const std::string& tags) {
  std::string text;
  for (const Span& span : find_spans(tags_of(tags))) {
    text += (text.empty() ? "" : ", ") + std::to_string(span.begin) + "-" + std::to_string(span.end) +
            (span.type.empty() ? "" : " " + span.type);
  }
  return text;
}

struct SpanCase {
  const char* tags;
  const char* spans;
};

TEST(Spans, SchemesAndBrokenSequencesAsConllevalTakesThem) {
  const SpanCase cases[] = {
      {"", ""},
      {"O O O", ""},
      // IOB2
      {"B-PER I-PER O B-LOC", "0-2 PER, 3-4 LOC"},
      {"B-PER B-PER I-PER", "0-1 PER, 1-3 PER"},
      {"B-PER B-LOC O", "0-1 PER, 1-2 LOC"},
      // IOB1: B only where two of a type touch
      {"I-PER I-PER O I-LOC", "0-2 PER, 3-4 LOC"},
      {"I-PER B-PER I-PER", "0-1 PER, 1-3 PER"},
      {"I-PER I-LOC", "0-1 PER, 1-2 LOC"},
      // BIOES
      {"S-PER O B-ORG I-ORG E-ORG S-ORG", "0-1 PER, 2-5 ORG, 5-6 ORG"},
      {"B-LOC E-LOC B-LOC E-LOC", "0-2 LOC, 2-4 LOC"},
      // sequences that break the scheme
      {"O I-PER I-PER", "1-3 PER"},
      {"B-PER I-LOC I-LOC", "0-1 PER, 1-3 LOC"},
      {"I-PER E-PER I-PER O", "0-2 PER, 2-3 PER"},
      {"E-PER E-PER", "0-1 PER, 1-2 PER"},
      {"S-PER I-PER E-PER", "0-1 PER, 1-3 PER"},
      {"O E-PER O", "1-2 PER"},
      {"B-PER S-PER I-PER", "0-1 PER, 1-2 PER, 2-3 PER"},
      {"B-PER I-PER", "0-2 PER"},
      {"B-LOC O I-LOC", "0-1 LOC, 2-3 LOC"},
      // types: with hyphens, none, and a kind that no scheme has
      {"B-A-B I-A-B I-A", "0-2 A-B, 2-3 A"},
      {"B I O I", "0-2, 3-4"},
      {"X-PER B-PER", "0-1 PER, 1-2 PER"},
      {"B-PER .", "0-1 PER"},
  };
  for (const SpanCase& one : cases) EXPECT_EQ(spans_of(one.tags), one.spans) << one.tags;
}

TEST(SpanMetrics, FiguresAndTableOfAHandCase) {
  SpanMetrics metrics;
  // PER right; LOC cut short; ORG of the wrong type; one MISC invented; one LOC missed
  metrics.add(tags_of("B-PER I-PER O B-LOC I-LOC O"), tags_of("B-PER I-PER O B-LOC O O"));
  metrics.add(tags_of("B-ORG O O B-LOC"), tags_of("B-PER O B-MISC O"));
  const SpanEvaluation evaluation = metrics.evaluation();
  EXPECT_EQ(evaluation.tokens, 10);
  EXPECT_DOUBLE_EQ(evaluation.accuracy, 0.6);
  EXPECT_EQ(evaluation.total.wanted, 4);
  EXPECT_EQ(evaluation.total.found, 4);
  EXPECT_EQ(evaluation.total.correct, 1);
  EXPECT_DOUBLE_EQ(evaluation.total.f1, 0.25);
  EXPECT_DOUBLE_EQ(evaluation.types.at("PER").precision, 0.5);
  EXPECT_DOUBLE_EQ(evaluation.types.at("PER").recall, 1);
  EXPECT_DOUBLE_EQ(evaluation.types.at("PER").f1, 2.0 / 3);
  EXPECT_EQ(evaluation.types.at("MISC").f1, 0);
  EXPECT_EQ(evaluation.table(),
            "processed 10 tokens with 4 phrases; found: 4 phrases; correct: 1.\n"
            "accuracy:  60.00%; precision:  25.00%; recall:  25.00%; FB1:  25.00\n"
            "              LOC: precision:   0.00%; recall:   0.00%; FB1:   0.00  1\n"
            "             MISC: precision:   0.00%; recall:   0.00%; FB1:   0.00  1\n"
            "              ORG: precision:   0.00%; recall:   0.00%; FB1:   0.00  0\n"
            "              PER: precision:  50.00%; recall: 100.00%; FB1:  66.67  2\n");
  EXPECT_EQ(evaluation.to_json().at("types").at("PER").at("found"), 2);
  EXPECT_EQ(evaluation.to_json().at("accuracy"), 0.6);
}

TEST(SpanMetrics, OneSchemeMayBeHeldAgainstAnother) {
  SpanMetrics metrics;
  metrics.add(tags_of("B-PER I-PER O B-LOC"), tags_of("B-PER E-PER O S-LOC"));
  EXPECT_DOUBLE_EQ(metrics.evaluation().total.f1, 1);
  EXPECT_DOUBLE_EQ(metrics.evaluation().accuracy, 0.5);
}

TEST(SpanMetrics, SpansEndWithTheirSentence) {
  SpanMetrics parted;
  parted.add(tags_of("B-PER"), tags_of("B-PER"));
  parted.add(tags_of("I-PER"), tags_of("I-PER"));
  EXPECT_EQ(parted.evaluation().total.correct, 2);
}

TEST(SpanMetrics, NothingFoundIsZeroAndUnequalLengthsAreRefused) {
  SpanMetrics metrics;
  EXPECT_EQ(metrics.evaluation().total.f1, 0);
  EXPECT_EQ(metrics.evaluation().accuracy, 0);
  metrics.add(tags_of("O O"), tags_of("O O"));
  EXPECT_EQ(metrics.evaluation().total.f1, 0);
  EXPECT_EQ(metrics.evaluation().accuracy, 1);
  EXPECT_THROW(metrics.add(tags_of("O O"), tags_of("O")), DataError);
  EXPECT_EQ(metrics.evaluation().tokens, 2);
}

}  // namespace
}  // namespace rondo
