#include "data/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "data/data_test_files.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Rows = std::vector<std::vector<std::string>>;

Rows parse_file(const std::string& path, CsvStyle style = {}, std::vector<int64_t>* row_lines = nullptr) {
  TextLines lines(path, false);
  CsvReader reader(lines, style);
  Rows rows;
  while (auto row = reader.next()) {
    rows.push_back(row->cells);
    if (row_lines != nullptr) row_lines->push_back(row->line);
  }
  return rows;
}

Rows parse(std::string_view bytes, CsvStyle style = {}, std::vector<int64_t>* row_lines = nullptr) {
  const TestFolder folder;
  return parse_file(folder.write("x.csv", bytes), style, row_lines);
}

TEST(Csv, QuotesDoubledQuotesAndLineBreaks) {
  std::vector<int64_t> lines;
  const Rows rows = parse("\"a\",\"b \"\"c\"\"\",\"d\ne\"\n\nf,,\n,\"\",g\n", {}, &lines);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[0], ElementsAre("a", "b \"c\"", "d\ne"));
  EXPECT_THAT(rows[1], ElementsAre("f", "", ""));
  EXPECT_THAT(rows[2], ElementsAre("", "", "g"));
  EXPECT_THAT(lines, ElementsAre(1, 4, 5));
}

TEST(Csv, QuoteInsideAPlainCellStandsForItself) {
  EXPECT_THAT(parse("5\" disk,x\n")[0], ElementsAre("5\" disk", "x"));
  EXPECT_THAT(parse("\"a\" ,b\n")[0], ElementsAre("a", "b"));
}

TEST(Csv, OpenQuoteNamesTheLineWhereItOpened) {
  const auto error = message_of<DataError>([] { parse("a,b\nc,\"d\ne,f\ng,h\n"); });
  EXPECT_THAT(error, HasSubstr("x.csv:2: a quote opens here and never closes"));
}

TEST(Csv, StrayQuoteDoesNotSwallowRows) {
  const auto error = message_of<DataError>([] { parse("a,\"b\nc,\"d\"\n"); });
  EXPECT_THAT(error, HasSubstr("x.csv:2: text behind the closing quote of a cell that opened in line 1"));
}

TEST(Csv, QuotesMayBePlainCharacters) {
  EXPECT_THAT(parse("a\t\"b\nc\td\n", {.separator = '\t', .quotes = false})[0], ElementsAre("a", "\"b"));
}

TEST(Csv, WrittenCellsReadBack) {
  const TestFolder folder;
  std::mt19937 random(1);
  const std::string alphabet = "ab\"\",;\n\t ";
  for (int round = 0; round < 200; ++round) {
    Rows rows(1 + random() % 4);
    std::string bytes;
    for (auto& row : rows) {
      for (int cell = 0; cell < 3; ++cell) {
        std::string text = cell == 0 ? "x" : "";
        for (auto n = random() % 6; n > 0; --n) text += alphabet[random() % alphabet.size()];
        if (cell > 0) bytes += ',';
        bytes += csv_cell(text, ',');
        row.push_back(text);
      }
      bytes += '\n';
    }
    ASSERT_EQ(parse_file(folder.write("x.csv", bytes)), rows) << bytes;
  }
}

TEST(Csv, AnyBytesGiveRowsOrADataError) {
  const TestFolder folder;
  std::mt19937 random(2);
  const std::string alphabet("a\",\n\r\t;|\0\xC3\xA9 ", 12);
  int rejected = 0;
  for (int round = 0; round < 500; ++round) {
    std::string bytes;
    for (auto n = random() % 40; n > 0; --n) bytes += alphabet[random() % alphabet.size()];
    try {
      for (const auto& row : parse_file(folder.write("x.csv", bytes))) ASSERT_GE(row.size(), 1U);
    } catch (const DataError&) {
      ++rejected;
    }
  }
  EXPECT_GT(rejected, 0);
  EXPECT_LT(rejected, 500);
}

}  // namespace
}  // namespace rondo
