#include "data/labelled.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data_test_files.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

LabelledCorpus read(const std::string& name, std::string_view bytes, const ReadOptions& options = {}) {
  const TestFolder folder;
  return read_labelled(folder.write(name, bytes), options);
}

std::string data_error(const std::string& name, std::string_view bytes, const ReadOptions& options = {}) {
  return message_of<DataError>([&] { read(name, bytes, options); });
}

TEST(Labelled, AgNewsNeedsNoOption) {
  const auto corpus =
      read("train.csv", "\"3\",\"Fears, again\",\"He said \"\"no\"\".\"\n\"4\",\"b\",\"c\"\n");
  ASSERT_EQ(corpus.examples.size(), 2U);
  EXPECT_THAT(corpus.examples[0].labels, ElementsAre("3"));
  EXPECT_EQ(corpus.examples[0].text, "Fears, again He said \"no\".");
  EXPECT_EQ(corpus.format, "CSV, no header: column 1 is the label, columns 2-3 the text");
}

TEST(Labelled, HeaderOfUsualWordsIsTaken) {
  const auto corpus = read("a.csv", "id,Text,Sentiment\n7,good film,pos\n8,bad film,neg\n");
  ASSERT_EQ(corpus.examples.size(), 2U);
  EXPECT_THAT(corpus.examples[1].labels, ElementsAre("neg"));
  EXPECT_EQ(corpus.examples[1].text, "bad film");
  EXPECT_EQ(corpus.format, "CSV, header: column 'Sentiment' is the label, column 'Text' the text");
}

TEST(Labelled, ColumnsByNameAndNumber) {
  const char* bytes = "who,what,stars\nann,fine,5\n";
  const auto named = read("a.csv", bytes, {.label_column = "stars", .text_column = "what, who"});
  EXPECT_EQ(named.examples.at(0).text, "fine ann");
  EXPECT_EQ(named.examples.at(0).labels.at(0), "5");
  const auto numbered = read("a.csv", bytes, {.label_column = "3", .text_column = "2"});
  ASSERT_EQ(numbered.examples.size(), 2U);
  EXPECT_EQ(numbered.examples[0].labels[0], "stars");
}

TEST(Labelled, MissingColumnsAreNamed) {
  const char* bytes = "section,description\nnet,a browser\n";
  EXPECT_THAT(data_error("a.csv", bytes, {.label_column = "topic"}),
              HasSubstr("a.csv:1: no column named 'topic', the first row has: section, description"));
  EXPECT_THAT(data_error("a.csv", bytes, {.text_column = "3"}),
              HasSubstr("no column 3, the first row has 2"));
  EXPECT_THAT(data_error("a.csv", bytes, {.text_column = "0"}), HasSubstr("no column 0"));
  EXPECT_THAT(data_error("a.csv", "just a text\nanother\n"), HasSubstr("expected a label and a text"));
}

TEST(Labelled, OptionsThatContradictAreRefused) {
  const char* bytes = "a,b\nc,d\n";
  EXPECT_THROW(read("a.csv", bytes, {.label_column = "1", .text_column = "1"}), ConfigError);
  EXPECT_THROW(read("a.csv", bytes, {.label_column = "a", .header = Header::kNo}), ConfigError);
  EXPECT_THROW(read("a.txt", "__label__a b\n", {.header = Header::kYes}), ConfigError);
  EXPECT_THROW(read("a.txt", "__label__a b\n", {.label_column = "x"}), ConfigError);
  EXPECT_THROW(read("a.txt", "text\n", {.format = TextFormat::kLines}), ConfigError);
}

TEST(Labelled, RowsOfAnotherWidthNameTheirLine) {
  EXPECT_THAT(data_error("n.csv", "a,\"x\ny\"\n\nb,c\nd\n"),
              HasSubstr("n.csv:5: 1 columns, expected 2 as in line 1"));
}

TEST(Labelled, EmptyLabelNamesItsLine) {
  EXPECT_THAT(data_error("n.csv", "a,b\n ,c\n"), HasSubstr("n.csv:2: the label in column 1 is empty"));
  EXPECT_THAT(data_error("n.txt", "__label__a b\nno label\n"), HasSubstr("n.txt:2: no word that begins"));
  EXPECT_THAT(data_error("n.txt", "__label__a b\n__label__ c\n"),
              HasSubstr("n.txt:2: __label__ without a name"));
  EXPECT_THAT(data_error("n.jsonl", "{\"label\":\"a\",\"text\":\"\"}\n{\"text\":\"b\"}\n"),
              HasSubstr("n.jsonl:2: the label 'label' is missing"));
}

TEST(Labelled, EmptyFilesAreErrors) {
  for (const char* name : {"a.csv", "a.tsv", "a.jsonl", "a.txt"}) {
    EXPECT_THAT(data_error(name, ""), HasSubstr("empty file")) << name;
    EXPECT_THAT(data_error(name, "\n\n"), HasSubstr("empty file")) << name;
    EXPECT_THAT(data_error(name, "\xEF\xBB\xBF"), HasSubstr("empty file")) << name;
  }
  EXPECT_THAT(data_error("a.csv", "label,text\n"), HasSubstr("no examples"));
  EXPECT_THROW(read_labelled("/no/such/file.csv"), IoError);
}

TEST(Labelled, MarkCrlfGzipAndLastNewlineChangeNothing) {
  const std::string plain = "label,text\nx,one\ny,\"two\nlines\"\n";
  const std::string windows = "\xEF\xBB\xBFlabel,text\r\nx,one\r\ny,\"two\r\nlines\"";
  const TestFolder folder;
  const auto a = read_labelled(folder.write("a.csv", plain));
  const auto b = read_labelled(folder.write("b.csv", windows));
  const auto c = read_labelled(folder.write_gzip("c.csv.gz", windows));
  ASSERT_EQ(a.examples.size(), 2U);
  for (const auto* other : {&b, &c}) {
    EXPECT_EQ(other->format, a.format);
    ASSERT_EQ(other->examples.size(), 2U);
    EXPECT_EQ(other->examples[1].text, "two\nlines");
    EXPECT_EQ(other->examples[1].line, 3);
  }
}

TEST(Labelled, InvalidUtf8NamesItsLineOrIsReplaced) {
  const char* bytes = "a,good\nb,caf\xE9 noir\n";
  EXPECT_THAT(data_error("a.csv", bytes), HasSubstr("a.csv:2: byte 6 (0xE9) is not UTF-8"));
  const auto corpus = read("a.csv", bytes, {.replace_invalid = true});
  EXPECT_EQ(corpus.examples.at(1).text, "caf\xEF\xBF\xBD noir");
  EXPECT_EQ(corpus.replaced_lines, 1);
  EXPECT_THAT(data_error("a.csv", std::string_view("\xFF\xFE"
                                                   "a\0,\0",
                                                   6)),
              HasSubstr("UTF-16"));
}

TEST(Labelled, SeparatorsAreDetectedAndStated) {
  EXPECT_THAT(read("a.csv", "a;b, c\nd;e\n").format, HasSubstr("CSV with ';', no header"));
  EXPECT_EQ(read("a.csv", "a;b, c\nd;e\n").examples[0].text, "b, c");
  EXPECT_EQ(read("a.csv", "a|b\nd|e\n").examples[0].text, "b");
  EXPECT_THAT(read("a.csv", "a\tb, c\nd\te\n").format, HasSubstr("CSV with tabs"));
  EXPECT_THAT(read("a.tsv", "a\tb, c\nd\te\n").format, HasSubstr("TSV, no header"));
}

TEST(Labelled, ContentDecidesWithoutAKnownEnding) {
  EXPECT_THAT(read("a.dat", "a\tb\n").format, HasSubstr("TSV"));
  EXPECT_THAT(read("a", "a,b\n").format, HasSubstr("CSV"));
  EXPECT_THAT(read("a.txt", "\n{\"label\":1,\"text\":\"b\"}\n").format, HasSubstr("JSON lines"));
  EXPECT_THAT(read("a.train", "__label__x y\n").format, HasSubstr("fastText"));
}

TEST(Labelled, JsonLabelsMayBeNumbersOrArrays) {
  const auto corpus = read("a.jsonl",
                           "{\"labels\":[\"x\",\"y\",\"x\"],\"text\":\"\\u00e9t\\u00e9\"}\n\n"
                           "{\"labels\":3,\"text\":\"\"}\n{\"labels\":[],\"text\":\"z\"}\n");
  ASSERT_EQ(corpus.examples.size(), 3U);
  EXPECT_THAT(corpus.examples[0].labels, ElementsAre("x", "y"));
  EXPECT_EQ(corpus.examples[0].text, "\xC3\xA9t\xC3\xA9");
  EXPECT_THAT(corpus.examples[1].labels, ElementsAre("3"));
  EXPECT_THAT(corpus.examples[2].labels, IsEmpty());
  EXPECT_EQ(corpus.empty_texts, 1);
  EXPECT_EQ(corpus.examples[1].line, 3);
}

TEST(Labelled, BrokenJsonNamesItsLine) {
  const std::string good = "{\"label\":\"a\",\"text\":\"b\"}\n";
  EXPECT_THAT(data_error("a.jsonl", good + "{\"label\":\"a\",\"te"), HasSubstr("a.jsonl:2: no JSON object"));
  EXPECT_THAT(data_error("a.jsonl", "[{\"label\":1}]\n"),
              HasSubstr("a.jsonl:1: a JSON array, expected an object"));
  EXPECT_THAT(data_error("a.jsonl", good + "{\"label\":\"a\",\"text\":5}"),
              HasSubstr("a JSON number, expected a string"));
  EXPECT_THAT(data_error("a.jsonl", good + "{\"label\":{},\"text\":\"\"}"),
              HasSubstr("a JSON object, expected a string"));
  EXPECT_THAT(data_error("a.jsonl", good + "{\"label\":\"a\"}"), HasSubstr("a.jsonl:2: no key 'text'"));
  EXPECT_THAT(data_error("a.jsonl", "{\"foo\":1}"), HasSubstr("no key 'text', the object has: foo"));
  EXPECT_THAT(data_error("a.jsonl", std::string(1 << 20, '[')), HasSubstr("a.jsonl:1: no JSON object"));
}

TEST(Labelled, FastTextLabelsStandAnywhere) {
  const auto corpus = read("a.txt", "__label__x __label__y  two  words\nlate __label__z word\n\n");
  ASSERT_EQ(corpus.examples.size(), 2U);
  EXPECT_THAT(corpus.examples[0].labels, ElementsAre("x", "y"));
  EXPECT_EQ(corpus.examples[0].text, "two  words");
  EXPECT_THAT(corpus.examples[1].labels, ElementsAre("z"));
  EXPECT_EQ(corpus.examples[1].text, "late word");
}

TEST(Labelled, SeveralLabelsInACell) {
  const auto corpus = read("a.csv", "\"x; y;;x\",t\nz,u\n", {.label_separator = ";"});
  EXPECT_THAT(corpus.examples.at(0).labels, ElementsAre("x", "y"));
}

TEST(Labelled, AMegabyteOnOneLineIsAText) {
  const auto corpus = read("a.csv", "a," + std::string(1 << 20, 'x') + "\nb,c\n");
  EXPECT_EQ(corpus.examples.at(0).text.size(), size_t{1} << 20);
}

TEST(Texts, LinesStayOneToOne) {
  const TestFolder folder;
  const auto corpus = read_texts(folder.write("a.txt", "one, two\n\n{three}"));
  ASSERT_EQ(corpus.examples.size(), 3U);
  EXPECT_EQ(corpus.examples[0].text, "one, two");
  EXPECT_EQ(corpus.examples[1].text, "");
  EXPECT_EQ(corpus.empty_texts, 1);
  EXPECT_THAT(corpus.format, HasSubstr("plain lines"));
  EXPECT_THAT(read_texts(folder.write("empty.txt", "")).examples, IsEmpty());
}

TEST(Texts, LabelsAreOptional) {
  const TestFolder folder;
  const auto named = read_texts(folder.write("a.csv", "id,text\n1,hello\n"), {.text_column = "text"});
  ASSERT_EQ(named.examples.size(), 1U);
  EXPECT_THAT(named.examples[0].labels, IsEmpty());
  EXPECT_EQ(named.examples[0].text, "hello");
  EXPECT_EQ(read_texts(folder.write("b.csv", "text\nhello\n")).examples.size(), 1U);
  EXPECT_EQ(read_texts(folder.write("c.csv", "hello\nyou\n")).examples.size(), 2U);
  const auto labelled = read_texts(folder.write("d.txt", "__label__x hello\nyou\n"));
  EXPECT_THAT(labelled.examples.at(0).labels, ElementsAre("x"));
  EXPECT_EQ(labelled.examples.at(1).text, "you");
  EXPECT_EQ(read_texts(folder.write("e.jsonl", "{\"text\":\"a\"}\n")).examples.at(0).text, "a");
}

TEST(ReadOptions, AreDeclaredOnce) {
  ReadOptions options;
  OptionList list(options);
  list.find("format").set_text("jsonl");
  list.find("text-column").set_text("body");
  EXPECT_EQ(options.format, TextFormat::kJsonl);
  EXPECT_EQ(options.text_column, "body");
  EXPECT_THROW(list.find("format").set_text("xml"), ConfigError);
}

}  // namespace
}  // namespace rondo
