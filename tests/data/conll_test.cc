#include "data/conll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/data_test_files.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Tags = std::vector<std::vector<std::string>>;

ConllFile parse(std::string bytes, ConllOptions options = {}) {
  return ConllFile::parse(std::move(bytes), "x.conll", std::move(options));
}

std::string error_of(const std::string& bytes, const ConllOptions& options = {}) {
  return message_of<DataError>([&] { parse(bytes, options); });
}

Tags tags_of(const ConllFile& file) {
  Tags tags;
  for (const ConllSentence& sentence : file.sentences()) tags.push_back(sentence.tags);
  return tags;
}

constexpr const char* kNews =
    "-DOCSTART- -X- -X- O\n\nAda NNP B-NP B-PER\nwrote VBD B-VP O\n. . O O\n\n \t\nIn IN B-PP O\nLondon NNP "
    "B-NP "
    "B-LOC \n\n";

constexpr const char* kSwedish =
    "\xEF\xBB\xBF# sent_id = 1\r\n# text = Det vet jag.\r\n"
    "1-2\tDetvet\t_\t_\t_\t_\t_\t_\t_\t_\r\n"
    "1\tDet\tden\tPRON\tP\t_\t2\tobj\t_\t_\r\n"
    "2\tvet\tveta\tVERB\tV\t_\t0\troot\t_\t_\r\n"
    "2.1\tnog\tnog\tADV\t_\t_\t_\t_\t_\t_\r\n"
    "3\tjag\tjag\tPRON\tP\t_\t2\tnsubj\t_\tSpaceAfter=No\r\n"
    "\r\n# sent_id = 2\r\n1\t#\t#\tSYM\tS\t_\t0\troot\t_\t_";

TEST(Conll, ColumnsDocumentsAndBlankLines) {
  const ConllFile file = parse(kNews);
  EXPECT_FALSE(file.is_conllu());
  ASSERT_EQ(file.sentences().size(), 2U);
  EXPECT_THAT(file.sentences()[0].tokens, ElementsAre("Ada", "wrote", "."));
  EXPECT_THAT(file.sentences()[0].tags, ElementsAre("B-PER", "O", "O"));
  EXPECT_EQ(file.sentences()[0].line, 3);
  EXPECT_THAT(file.sentences()[1].tokens, ElementsAre("In", "London"));
  EXPECT_EQ(file.sentences()[1].line, 8);
}

TEST(Conll, OptionsChooseTheColumns) {
  const ConllFile file = parse(kNews, {.token_column = "-3", .tag_column = "3"});
  EXPECT_THAT(file.sentences()[1].tokens, ElementsAre("IN", "NNP"));
  EXPECT_THAT(file.sentences()[1].tags, ElementsAre("B-PP", "B-NP"));
  const ConllFile bare = parse(kNews, {.tag_column = "none"});
  EXPECT_FALSE(bare.has_tags());
  EXPECT_THAT(bare.sentences()[0].tags, IsEmpty());
  EXPECT_FALSE(parse("Ada\nwrote\n").has_tags());
  for (const char* column : {"0", "5", "-5", "upos", "1x", "99999999999999999999"}) {
    EXPECT_THROW(parse(kNews, {.tag_column = column}), ConfigError) << column;
  }
  EXPECT_THROW(parse(kNews, {.tag_column = "1"}), ConfigError);
}

TEST(Conll, UsualColumnsStandForThoseThatNoOptionNames) {
  const ConllColumns columns{.conllu = false, .token = "2", .tag = "3"};
  const ConllFile file = parse(kNews, {.usual = columns});
  EXPECT_THAT(file.sentences()[1].tokens, ElementsAre("IN", "NNP"));
  EXPECT_THAT(file.sentences()[1].tags, ElementsAre("B-PP", "B-NP"));
  EXPECT_THAT(parse(kNews, {.tag_column = "4", .usual = columns}).sentences()[1].tags,
              ElementsAre("O", "B-LOC"));
  EXPECT_FALSE(parse("Ada\nwrote\n", {.usual = {.tag = "3"}}).has_tags());
  // Of the other kind of file they say nothing.
  EXPECT_EQ(tags_of(parse(kSwedish, {.usual = columns})), tags_of(parse(kSwedish)));
  EXPECT_THAT(parse(kSwedish, {.usual = {.conllu = true, .tag = "xpos"}}).sentences()[0].tags[0], "P");
}

TEST(Conll, TabsPartTokensWithSpacesAndHashesAreTokens) {
  const ConllFile file = parse("# \tO\n#tag\tB-x\nNew York\tB-loc\n\t\n@you\tO\n");
  ASSERT_EQ(file.sentences().size(), 2U);
  EXPECT_THAT(file.sentences()[0].tokens, ElementsAre("# ", "#tag", "New York"));
  EXPECT_THAT(file.sentences()[1].tags, ElementsAre("O"));
}

TEST(Conll, CommentsOfColumnsAreAskedFor) {
  const std::string text = "# id 7 of 9\na X\n";
  EXPECT_THAT(error_of(text), HasSubstr("x.conll:2: 2 columns, expected 5"));
  EXPECT_THAT(error_of("a X\n# id 7 of 9\n"), HasSubstr("set --comments"));
  const ConllFile file = parse(text, {.comments = true});
  EXPECT_THAT(file.sentences().at(0).tokens, ElementsAre("a"));
  EXPECT_EQ(file.with_tags(Tags{{"Y"}}, TagPlace::kReplace), "# id 7 of 9\na Y\n");
}

TEST(Conll, ConlluIsRecognisedAndItsRangesAndEmptyNodesAreNoTokens) {
  const ConllFile file = parse(kSwedish);
  EXPECT_TRUE(file.is_conllu());
  ASSERT_EQ(file.sentences().size(), 2U);
  EXPECT_THAT(file.sentences()[0].tokens, ElementsAre("Det", "vet", "jag"));
  EXPECT_THAT(file.sentences()[0].tags, ElementsAre("PRON", "VERB", "PRON"));
  EXPECT_THAT(file.sentences()[1].tokens, ElementsAre("#"));
  const ConllFile lemmas = parse(kSwedish, {.token_column = "lemma", .tag_column = "deprel"});
  EXPECT_THAT(lemmas.sentences()[0].tokens, ElementsAre("den", "veta", "jag"));
  EXPECT_THAT(lemmas.sentences()[0].tags, ElementsAre("obj", "root", "nsubj"));
  EXPECT_FALSE(parse(kNews, {.format = ConllFormat::kColumns}).is_conllu());
}

TEST(Conll, UnchangedTagsGiveTheFileByteForByte) {
  const std::string ragged_ends[] = {
      kNews, kSwedish, "", "\n\n", "a X", "a X\r\n\r\n\r\nb\t Y", "\n \na   X  \n", "# only = comments\n"};
  for (const std::string& bytes : ragged_ends) {
    const ConllFile file = parse(bytes, {.comments = true});
    EXPECT_EQ(file.with_tags(tags_of(file), TagPlace::kReplace), bytes);
    EXPECT_EQ(file.bytes(), bytes);
  }
}

TEST(Conll, TagsAreReplacedOrAppended) {
  const ConllFile file = parse("a 1 X \nb 22 Y\r\n\nc 3 Z");
  const Tags tags{{"LONG", "Q"}, {"R"}};
  EXPECT_EQ(file.with_tags(tags, TagPlace::kReplace), "a 1 LONG \nb 22 Q\r\n\nc 3 R");
  EXPECT_EQ(file.with_tags(tags, TagPlace::kAppend), "a 1 X LONG \nb 22 Y Q\r\n\nc 3 Z R");
  EXPECT_EQ(parse("a\nb\n").with_tags(Tags{{"X", "Y"}}, TagPlace::kAppend), "a X\nb Y\n");
  EXPECT_EQ(parse("a\tX\n").with_tags(Tags{{"Y"}}, TagPlace::kAppend), "a\tX\tY\n");
  const ConllFile swedish = parse(kSwedish);
  const ConllFile again = parse(swedish.with_tags(Tags{{"A", "B", "C"}, {"D"}}, TagPlace::kReplace));
  EXPECT_THAT(again.sentences()[0].tags, ElementsAre("A", "B", "C"));
  EXPECT_THAT(again.bytes(), HasSubstr("2.1\tnog\tnog\tADV"));
}

TEST(Conll, AppendedLinesHaveAsManyColumnsAsEachOther) {
  const ConllFile news = parse(kNews);
  EXPECT_EQ(
      news.with_tags(Tags{{"O", "O", "X"}, {"O", "B-LOC"}}, TagPlace::kAppend),
      "-DOCSTART- -X- -X- O O\n\nAda NNP B-NP B-PER O\nwrote VBD B-VP O O\n. . O O X\n\n \t\nIn IN B-PP O O\n"
      "London NNP B-NP B-LOC B-LOC \n\n");
  // One that is as narrow as it was stays so; a document's line may come last and be wide in tabs.
  EXPECT_EQ(parse("-DOCSTART-\n\na X\n").with_tags(Tags{{"Y"}}, TagPlace::kAppend), "-DOCSTART-\n\na X Y\n");
  EXPECT_EQ(parse("a\tX\n\n-DOCSTART-\tO").with_tags(Tags{{"Y"}}, TagPlace::kAppend),
            "a\tX\tY\n\n-DOCSTART-\tO\tO");
  EXPECT_EQ(parse("-DOCSTART-\n\na\n").with_tags(Tags{{"Y"}}, TagPlace::kAppend), "-DOCSTART- O\n\na Y\n");
}

TEST(Conll, TagsThatCannotBeWrittenAreRefused) {
  const ConllFile file = parse("a X\nb Y\n\nc Z\n");
  EXPECT_THAT(message_of<DataError>([&] {
                file.with_tags(Tags{{"X", "Y"}}, TagPlace::kReplace);
              }),
              HasSubstr("tags for 1 sentences, expected 2"));
  EXPECT_THAT(message_of<DataError>([&] {
                file.with_tags(Tags{{"X", "Y"}, {}}, TagPlace::kReplace);
              }),
              HasSubstr("x.conll:4: 0 tags for a sentence of 1 tokens"));
  EXPECT_THROW(file.with_tags(Tags{{"X", "Y"}, {"two words"}}, TagPlace::kReplace), DataError);
  EXPECT_THROW(file.with_tags(Tags{{"X", ""}, {"Z"}}, TagPlace::kAppend), DataError);
  EXPECT_THROW(parse("a\n").with_tags(Tags{{"X"}}, TagPlace::kReplace), ConfigError);
  EXPECT_THROW(parse(kSwedish).with_tags(Tags{{"A", "B", "C"}, {"D"}}, TagPlace::kAppend), ConfigError);
}

TEST(Conll, BadLinesAreNamed) {
  EXPECT_THAT(error_of("a X\nb\n"), HasSubstr("x.conll:2: 1 columns, expected 2"));
  EXPECT_THAT(error_of("a\tX\nb Y\n"), HasSubstr("x.conll:2: 1 columns, expected 2, parted by tabs: 'b Y'"));
  EXPECT_THAT(error_of("a\tX\n\tY\n"), HasSubstr("x.conll:2: column 1, the token, is empty"));
  EXPECT_THAT(error_of("a\tX\nb\t\n"), HasSubstr("x.conll:2: column 2, the tag, is empty"));
  EXPECT_THAT(error_of("a X\n\xFFz Y\n"), HasSubstr("x.conll:2: byte 0xFF"));
  EXPECT_THAT(error_of("\xFF\xFE"
                       "a"),
              HasSubstr("UTF-16"));
  const ConllOptions conllu{.format = ConllFormat::kConllu};
  const std::string rest = "\tw\t_\tX\t_\t_\t_\t_\t_\t_\n";
  EXPECT_THAT(error_of("1" + rest + "3" + rest, conllu), HasSubstr("x.conll:2: word 3 where 2 is due"));
  EXPECT_THAT(error_of("1" + rest + "1" + rest, conllu), HasSubstr("x.conll:2: word 1 where 2 is due"));
  EXPECT_THAT(error_of("1\tw\n", conllu), HasSubstr("x.conll:1: 2 columns, expected 10"));
  for (const char* id : {"", "x", "0", "-1", "1-", "2-1", "1.0", "1.", "1-2-3", "99999999999999999999"}) {
    EXPECT_THAT(error_of(id + rest, conllu), HasSubstr("is no word's number")) << id;
  }
}

TEST(Conll, InvalidBytesAreRepairedInTokensAndKeptInTheFile) {
  const std::string bytes = "caf\xE9 X\xE9\n";
  const ConllFile file = parse(bytes, {.replace_invalid = true});
  EXPECT_THAT(file.sentences().at(0).tokens, ElementsAre("caf\xEF\xBF\xBD"));
  EXPECT_EQ(file.with_tags(tags_of(file), TagPlace::kReplace), bytes);
  EXPECT_EQ(file.with_tags(Tags{{"Y"}}, TagPlace::kReplace), "caf\xE9 Y\n");
}

TEST(Conll, ReadsFilesAndGzip) {
  const TestFolder folder;
  EXPECT_EQ(ConllFile(folder.write("a.conll", kNews)).sentences().size(), 2U);
  const ConllFile zipped(folder.write_gzip("b.conllu.gz", kSwedish));
  EXPECT_TRUE(zipped.is_conllu());
  EXPECT_EQ(zipped.bytes(), kSwedish);
  EXPECT_THAT(message_of<DataError>([&] { ConllFile(folder.write("c.conllu", "1\ta\n")); }),
              HasSubstr("c.conllu:1:"));
  EXPECT_THROW(ConllFile(folder.path("none")), IoError);
}

// Every cut of a good file is read or refused with its line, and what is read comes back.
TEST(Conll, CutFilesAreReadOrRefused) {
  for (const std::string whole : {kNews, kSwedish}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      const std::string bytes = whole.substr(0, size);
      try {
        const ConllFile file = parse(bytes);
        if (file.has_tags()) {
          ASSERT_EQ(file.with_tags(tags_of(file), TagPlace::kReplace), bytes);
        }
        ASSERT_EQ(file.bytes(), bytes);
      } catch (const DataError& error) {
        ASSERT_THAT(error.what(), HasSubstr("x.conll:"));
      }
    }
  }
}

}  // namespace
}  // namespace rondo
