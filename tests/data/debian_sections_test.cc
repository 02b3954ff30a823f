#include "data/debian_sections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "base/files.h"
#include "data/data_test_files.h"
#include "data/labelled.h"

namespace rondo {
namespace {

std::vector<PackageRow> parse(const std::string& index) {
  std::istringstream stream(index);
  return parse_package_index([&]() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(stream, line)) return std::nullopt;
    return line;
  });
}

TEST(DebianSections, ParsesSectionAndFirstLine) {
  const auto rows = parse(
      "Package: zsnes\nSection: contrib/otherosfs\nDescription: Emulator\n of consoles\n Section: no\n\n"
      "Package: abc\nDescription-en: Notation\nDescription-md5: 00\nSection: sound\n\n"
      "Package: nothing\nSection: net\n\nPackage: abc2\nSection: sound\nDescription: Notation\n\n"
      "Package: abc\nSection: other\nDescription: second version\n");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].package, "abc");
  EXPECT_EQ(rows[0].section, "sound");
  EXPECT_EQ(rows[0].description, "Notation");
  EXPECT_EQ(rows[1].section, "otherosfs");
  EXPECT_EQ(rows[1].description, "Emulator");
}

std::vector<PackageRow> numbered_rows(int count) {
  std::vector<PackageRow> rows;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    rows.push_back(
        {.package = "p" + n, .section = i % 2 == 0 ? "net" : "x11", .description = "\"" + n + "\"\ta, b"});
  }
  return rows;
}

TEST(DebianSections, WrittenFilesReadBack) {
  const TestFolder folder;
  for (const char* name : {"s.tsv", "s.csv"}) {
    const auto files = write_debian_sections(numbered_rows(10), {.output = folder.path(name)});
    ASSERT_EQ(files.size(), 1U);
    const auto corpus = read_labelled(files[0].path);
    ASSERT_EQ(corpus.examples.size(), 10U);
    EXPECT_EQ(corpus.examples[3].labels[0], "x11");
    EXPECT_EQ(corpus.examples[3].text, "\"3\"\ta, b");
  }
}

TEST(DebianSections, SplitIsOfNamesOnly) {
  const TestFolder folder;
  const DebianSectionsOptions options{.output = folder.path("s.tsv"), .split = "90/5/5"};
  const auto files = write_debian_sections(numbered_rows(4000), options);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].rows + files[1].rows + files[2].rows, 4000);
  EXPECT_NEAR(static_cast<double>(files[1].rows), 200, 60);
  EXPECT_NEAR(static_cast<double>(files[2].rows), 200, 60);
  EXPECT_EQ(files[2].path, folder.path("s-test.tsv"));
  // The rows of a smaller index stand in the same files.
  const std::string before = read_file(files[2].path);
  const auto fewer = write_debian_sections(numbered_rows(2000), options);
  EXPECT_TRUE(before.starts_with(read_file(fewer[2].path)));
}

TEST(DebianSections, OptionsAreChecked) {
  const TestFolder folder;
  EXPECT_THROW(write_debian_sections({}, {.output = "x.txt"}), ConfigError);
  for (const char* split : {"90/10", "a/b/c", "0/50/50", "90/5/5/0", "/", "1e2/3/4"}) {
    EXPECT_THROW(write_debian_sections({}, {.output = folder.path("x.csv"), .split = split}), ConfigError)
        << split;
  }
}

}  // namespace
}  // namespace rondo
