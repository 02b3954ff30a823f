#include "data/parallel_corpus.h"

#include <gmock/gmock.h>

#include "data_test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> joined(const ParallelCorpus& corpus) {
  std::vector<std::string> lines;
  for (const SentencePair& pair : corpus.pairs) {
    lines.push_back(std::to_string(pair.line) + " " + pair.source + "|" + pair.target);
  }
  return lines;
}

TEST(ParallelCorpus, TwoFilesPairLineByLine) {
  const TestFolder folder;
  const ParallelCorpus corpus = read_parallel({.source = folder.write("a.en", "a dog \r\ntwo cats\n"),
                                               .target = folder.write("a.de", "ein Hund\nzwei Katzen")});
  EXPECT_THAT(joined(corpus), ElementsAre("1 a dog|ein Hund", "2 two cats|zwei Katzen"));
  EXPECT_EQ(corpus.format, "two files, a sentence a line");
  EXPECT_TRUE(corpus.warnings.empty());
}

TEST(ParallelCorpus, GzipIsOpened) {
  const TestFolder folder;
  const ParallelCorpus corpus = read_parallel(
      {.source = folder.write_gzip("a.en.gz", "a\nb\n"), .target = folder.write("a.de", "x\ny\n")});
  EXPECT_THAT(joined(corpus), ElementsAre("1 a|x", "2 b|y"));
  const ParallelCorpus table = read_parallel({.source = folder.write_gzip("a.tsv.gz", "a\tx\n")});
  EXPECT_THAT(joined(table), ElementsAre("1 a|x"));
}

TEST(ParallelCorpus, UnequalFilesNameTheFirstLineAloneAndBothLengths) {
  const TestFolder folder;
  const std::string three = folder.write("three.en", "a\nb\nc\n"), one = folder.write("one.de", "x\n");
  const std::string message = message_of<DataError>([&] { read_parallel({.source = three, .target = one}); });
  EXPECT_THAT(message, AllOf(HasSubstr("three.en:2: this line has no partner"),
                             HasSubstr("three.en has 3 lines"), HasSubstr("one.de has 1;")));
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = one, .target = three}); }),
              AllOf(HasSubstr("three.en:2:"), HasSubstr("three.en has 3 lines"), HasSubstr("one.de has 1;")));
  // An empty file has no line at all, not an empty one.
  EXPECT_THAT(
      message_of<DataError>([&] { read_parallel({.source = folder.write("none.en", ""), .target = one}); }),
      AllOf(HasSubstr("one.de:1:"), HasSubstr("none.en has 0")));
}

TEST(ParallelCorpus, EmptySidesAreLeftOutAndCounted) {
  const TestFolder folder;
  ParallelOptions options{.source = folder.write("a.en", "a\n \nc\n\n"),
                          .target = folder.write("a.de", "x\ny\n\n\n")};
  const ParallelCorpus corpus = read_parallel(options);
  EXPECT_THAT(joined(corpus), ElementsAre("1 a|x"));
  EXPECT_EQ(corpus.empty, 3);
  EXPECT_THAT(corpus.warnings,
              ElementsAre(HasSubstr(
                  "3 pairs with an empty side left out, the first in line 2: the source is empty")));
  options.read.empty = EmptySides::kRefuse;
  EXPECT_THAT(message_of<DataError>([&] { read_parallel(options); }),
              HasSubstr("a.de:2: the source is empty"));
}

TEST(ParallelCorpus, NoPairLeftIsAnError) {
  const TestFolder folder;
  const std::string blank = folder.write("a.en", "\n\n"), full = folder.write("a.de", "x\ny\n");
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = blank, .target = full}); }),
              AllOf(HasSubstr("no pairs"), HasSubstr("line 1: the source is empty")));
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = folder.write("e.tsv", "")}); }),
              HasSubstr("e.tsv: empty file"));
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = blank}); }),
              HasSubstr("there is no sentence in it"));
}

TEST(ParallelCorpus, BytesThatAreNoTextAreNamedByFileAndLine) {
  const TestFolder folder;
  ParallelOptions options{.source = folder.write("a.en", "a\nb\n"),
                          .target = folder.write("a.de", "x\n\xFFy\n")};
  EXPECT_THAT(message_of<DataError>([&] { read_parallel(options); }), HasSubstr("a.de:2: byte 1 (0xFF)"));
  options.read.replace_invalid = true;
  const ParallelCorpus corpus = read_parallel(options);
  EXPECT_THAT(joined(corpus), ElementsAre("1 a|x", "2 b|\xEF\xBF\xBDy"));
  EXPECT_THAT(corpus.warnings, ElementsAre(HasSubstr("1 lines hold bytes that are not UTF-8")));
}

TEST(ParallelCorpus, TablesByPositionOrHeader) {
  const TestFolder folder;
  const std::string plain = folder.write("a.tsv", "a dog\tein Hund\tCC-BY\ntwo\tzwei\tCC-BY\n");
  const ParallelCorpus first = read_parallel({.source = plain});
  EXPECT_THAT(joined(first), ElementsAre("1 a dog|ein Hund", "2 two|zwei"));
  EXPECT_EQ(first.format, "TSV, no header: column 1 to column 2");

  const std::string titled = folder.write("b.csv", "id,target,source\n1,\"ein, Hund\",a dog\n");
  const ParallelCorpus header = read_parallel({.source = titled});
  EXPECT_THAT(joined(header), ElementsAre("2 a dog|ein, Hund"));
  EXPECT_EQ(header.format, "CSV, header: 'source' to 'target'");
}

TEST(ParallelCorpus, ColumnsAreAskedForByNameOrNumber) {
  const TestFolder folder;
  const std::string path = folder.write("b.csv", "id,german,english\n1,ein Hund,a dog\n");
  EXPECT_THAT(joined(read_parallel(
                  {.source = path, .read = {.source_column = "English", .target_column = "german"}})),
              ElementsAre("2 a dog|ein Hund"));
  EXPECT_THAT(
      joined(read_parallel(
          {.source = path, .read = {.source_column = "3", .target_column = "2", .header = Header::kYes}})),
      ElementsAre("2 a dog|ein Hund"));
  // One of two columns leaves the other.
  EXPECT_THAT(
      joined(read_parallel({.source = folder.write("c.tsv", "Hund\tdog\n"), .read = {.source_column = "2"}})),
      ElementsAre("1 dog|Hund"));
  EXPECT_THAT(
      message_of<DataError>([&] { read_parallel({.source = path, .read = {.source_column = "french"}}); }),
      HasSubstr("no column named 'french', the first row has: id, german, english"));
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = path, .read = {.source_column = "4"}}); }),
              HasSubstr("no column 4, the first row has 3"));
  EXPECT_THAT(message_of<ConfigError>([&] {
                read_parallel({.source = path, .read = {.source_column = "2", .target_column = "2"}});
              }),
              HasSubstr("the source and as the target"));
}

TEST(ParallelCorpus, RowsOfAnotherWidthAreNamed) {
  const TestFolder folder;
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = folder.write("a.tsv", "a\tx\nb\n")}); }),
              HasSubstr("a.tsv:2: 1 columns, expected 2 as in line 1"));
  EXPECT_THAT(
      message_of<DataError>([&] { read_parallel({.source = folder.write("one", "just english\n")}); }),
      HasSubstr("one:1: one column, expected a sentence and its translation"));
}

TEST(ParallelCorpus, JsonLinesMayNest) {
  const TestFolder folder;
  const std::string flat = folder.write("a.jsonl", "{\"source\":\"a\",\"target\":\"x\"}\n\n");
  EXPECT_THAT(joined(read_parallel({.source = flat})), ElementsAre("1 a|x"));
  const std::string nested = folder.write("b.json", "\n{\"translation\":{\"en\":\"a\",\"de\":\"x\"}}\n");
  EXPECT_THAT(
      joined(read_parallel({.source = nested,
                            .read = {.source_column = "translation.en", .target_column = "translation.de"}})),
      ElementsAre("2 a|x"));
  EXPECT_THAT(message_of<DataError>([&] { read_parallel({.source = nested}); }),
              HasSubstr("b.json:2: no key 'source', the object has: translation"));
  EXPECT_THAT(message_of<DataError>([&] {
                read_parallel({.source = folder.write("c.jsonl", "{\"source\":\"a\",\"target\":1}\n")});
              }),
              HasSubstr("c.jsonl:1: 'target' is a JSON number"));
  EXPECT_THAT(
      message_of<DataError>([&] { read_parallel({.source = folder.write("d.jsonl", "{\"source\":\n")}); }),
      HasSubstr("d.jsonl:1: broken JSON"));
}

TEST(ParallelCorpus, OptionsWithoutEffectAreRefused) {
  const TestFolder folder;
  const std::string path = folder.write("a.en", "a\n");
  for (const ParallelFormat& read :
       {ParallelFormat{.format = TextFormat::kTsv}, ParallelFormat{.source_column = "1"},
        ParallelFormat{.header = Header::kNo}, ParallelFormat{.quotes = false}}) {
    EXPECT_THROW(read_parallel({.source = path, .target = path, .read = read}), ConfigError);
  }
  EXPECT_THROW(read_parallel({}), ConfigError);
  EXPECT_THROW(read_parallel({.source = "-", .target = "-"}), ConfigError);
  EXPECT_THROW(read_parallel({.source = path, .read = {.format = TextFormat::kLines}}), ConfigError);
}

}  // namespace
}  // namespace rondo
