#include "data/debian_translations.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>

#include "base/files.h"
#include "data/parallel_corpus.h"
#include "data_test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const char* const kEnglish =
    "Package: abc\nDescription-md5: 11\nDescription-en: music notation\n"
    " It reads tunes. It writes\n scores.\n .\n Features:\n  * plays tunes\n  - prints scores\n    on "
    "paper\n\n"
    "Package: bcd\nDescription-md5: 22\nDescription-en: same everywhere\n\n"
    "Package: cde\nDescription-md5: 33\nDescription-en: old text\n\n"
    "Package: def\nDescription-md5: 44\nDescription-en: music notation\n More here.\n";
const char* const kFrench =
    "Package: abc\nDescription-md5: 11\nDescription-fr: notation musicale\n"
    " Il lit des airs. \xC3\x89"
    "crit des partitions.\n .\n Fonctions :\n  - joue des airs\n  - imprime\n\n"
    "Package: bcd\nDescription-md5: 22\nDescription-fr: same everywhere\n\n"
    "Package: cde\nDescription-md5: 34\nDescription-fr: texte nouveau\n\n"
    "Package: def\nDescription-md5: 44\nDescription-fr: notation musicale\n Un.\n .\n Deux.";

Descriptions parse(const std::string& text, const std::string& language) {
  std::istringstream stream(text);
  Descriptions descriptions;
  parse_translations(
      [&]() -> std::optional<std::string> {
        std::string line;
        if (!std::getline(stream, line)) return std::nullopt;
        return line;
      },
      language, descriptions);
  return descriptions;
}

std::vector<std::string> joined(const std::vector<TranslatedText>& pairs) {
  std::vector<std::string> lines;
  for (const TranslatedText& pair : pairs)
    lines.push_back(pair.package + ": " + pair.source + "|" + pair.target);
  return lines;
}

TEST(DebianTranslations, ParagraphsAndItemsAreOneLineEach) {
  const Descriptions english = parse(kEnglish, "en");
  EXPECT_EQ(english.size(), 4U);
  EXPECT_THAT(paragraphs_of(english.at("abc 11")),
              ElementsAre("music notation", "It reads tunes. It writes scores.", "Features:", "plays tunes",
                          "prints scores on paper"));
  EXPECT_THAT(paragraphs_of("- short"), ElementsAre("- short"));
  EXPECT_THAT(paragraphs_of("a\n  code\n text"), ElementsAre("a", "code", "text"));
  EXPECT_THAT(paragraphs_of("x\n Este pacote tem\n o programa"),
              ElementsAre("x", "Este pacote tem o programa"));
  EXPECT_THAT(paragraphs_of("x\n It has\n  o one\n  o two"), ElementsAre("x", "It has", "one", "two"));
  EXPECT_TRUE(paragraphs_of("").empty());
}

TEST(DebianTranslations, SentencesEndBeforeACapital) {
  EXPECT_THAT(sentences_of("One. Two? \xC3\x89t\xC3\xA9! e.g. three. v2. x"),
              ElementsAre("One.", "Two?", "\xC3\x89t\xC3\xA9! e.g. three. v2. x"));
  EXPECT_THAT(sentences_of(""), ElementsAre(""));
}

TEST(DebianTranslations, PairsAreMatchedByNameAndChecksum) {
  const auto pairs = pair_descriptions(parse(kEnglish, "en"), parse(kFrench, "fr"), true);
  EXPECT_THAT(joined(pairs),
              ElementsAre("abc: music notation|notation musicale", "abc: It reads tunes.|Il lit des airs.",
                          "abc: It writes scores.|\xC3\x89"
                          "crit des partitions.",
                          "abc: Features:|Fonctions :", "abc: plays tunes|joue des airs",
                          "abc: prints scores on paper|imprime"));
  const auto whole = pair_descriptions(parse(kEnglish, "en"), parse(kFrench, "fr"), false);
  ASSERT_EQ(whole.size(), 5U);
  EXPECT_EQ(whole[1].source, "It reads tunes. It writes scores.");
}

TEST(DebianTranslations, PairsOfVeryDifferentLengthAreLeftOut) {
  const Descriptions english = {{"a 1", "word"}}, french = {{"a 1", std::string(100, 'x')}};
  EXPECT_TRUE(pair_descriptions(english, french, true).empty());
}

TEST(DebianTranslations, ListsAreReadFromAFolder) {
  const TestFolder folder;
  folder.write("deb.debian.org_main_i18n_Translation-en", kEnglish);
  folder.write_gzip("deb.debian.org_main_i18n_Translation-fr.gz", kFrench);
  folder.write("deb.debian.org_main_i18n_Translation-french", "Package: no\n");
  DebianTranslationsOptions options{.output = folder.path("p.tsv"), .lists = folder.path("")};
  const auto files = write_debian_translations(debian_translations(options), options);
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].rows, 6);
  const ParallelCorpus corpus = read_parallel({.source = files[0].path});
  ASSERT_EQ(corpus.pairs.size(), 6U);
  EXPECT_EQ(corpus.pairs[1].target, "Il lit des airs.");
}

TEST(DebianTranslations, MissingListsTellHowToFetchThem) {
  const TestFolder folder;
  DebianTranslationsOptions options{.language = "de", .lists = folder.path("")};
  EXPECT_THAT(message_of<DataError>([&] { debian_translations(options); }),
              AllOf(HasSubstr("no Translation-de"), HasSubstr("apt-get update -o Acquire::Languages=en,de -o "
                                                              "Dir::State::Lists=$PWD/lists")));
  folder.write("x_Translation-de", "Package: a\nDescription-md5: 1\nDescription-de: b\n");
  EXPECT_THAT(message_of<DataError>([&] { debian_translations(options); }), HasSubstr("no Translation-en"));
  folder.write("x_Translation-en", "Package: a\nDescription-md5: 2\nDescription-en: c\n");
  EXPECT_THAT(message_of<DataError>([&] { debian_translations(options); }), HasSubstr("fetch both"));
  for (const char* language : {"", "../x", "en", "fr;ls"}) {
    options.language = language;
    EXPECT_THROW(debian_translations(options), ConfigError) << language;
  }
  EXPECT_THROW(debian_translations({.lists = folder.path("none")}), IoError);
}

TEST(DebianTranslations, SplitIsOfNamesOnly) {
  const TestFolder folder;
  std::vector<TranslatedText> pairs;
  for (int i = 0; i < 2000; ++i) {
    const std::string n = std::to_string(i);
    // two pairs of a package stand in the same file
    pairs.push_back({.package = "p" + n, .source = "a" + n, .target = "\"b\"" + n});
    pairs.push_back({.package = "p" + n, .source = "c" + n, .target = "d" + n});
  }
  const DebianTranslationsOptions options{.output = folder.path("p.csv"), .split = "90/5/5"};
  const auto files = write_debian_translations(pairs, options);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].rows + files[1].rows + files[2].rows, 4000);
  EXPECT_NEAR(static_cast<double>(files[2].rows), 200, 80);
  EXPECT_EQ(files[2].path, folder.path("p-test.csv"));
  const ParallelCorpus test = read_parallel({.source = files[2].path});
  for (size_t i = 0; i < test.pairs.size(); i += 2) {
    EXPECT_EQ("c" + test.pairs[i].source.substr(1), test.pairs[i + 1].source);
  }
}

}  // namespace
}  // namespace rondo
