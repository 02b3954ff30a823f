#include "data/aligned_lines.h"

#include <gmock/gmock.h>

#include "data_test_files.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(AlignedLines, GiveALineOfEachFile) {
  const TestFolder folder;
  const std::vector<std::string> paths = {folder.write("a", "1\n\n"), folder.write("b", "2\r\n\r\n"),
                                          folder.write_gzip("c.gz", "3\n\n")};
  AlignedLines lines(paths, false);
  EXPECT_THAT(lines.next().value(), ElementsAre("1", "2", "3"));
  EXPECT_THAT(lines.next().value(), ElementsAre("", "", ""));
  EXPECT_EQ(lines.line(), 2);
  EXPECT_FALSE(lines.next());
}

TEST(AlignedLines, TheShortFileIsFoundAmongMany) {
  const TestFolder folder;
  const std::vector<std::string> paths = {folder.write("a", "1\n2\n"), folder.write("b", "1\n"),
                                          folder.write("c", "1\n2\n3\n")};
  AlignedLines lines(paths, false);
  EXPECT_TRUE(lines.next());
  EXPECT_THAT(message_of<DataError>([&] { lines.next(); }),
              testing::AllOf(HasSubstr("a:2: "), HasSubstr("b has 1;")));
}

TEST(AlignedLines, WhatIsNoUtf8HidesNoMissingPartner) {
  const TestFolder folder;
  const std::string shorter = folder.write("short", "1\n2\n");
  // In the first line without a partner, and behind it.
  for (const char* rest : {"\xFF\nx\n", "x\n\xFF\n"}) {
    const std::string longer = folder.write("long", std::string("1\n2\n") + rest);
    for (const std::vector<std::string>& paths :
         {std::vector<std::string>{shorter, longer}, std::vector<std::string>{longer, shorter}}) {
      AlignedLines lines(paths, false);
      EXPECT_TRUE(lines.next());
      EXPECT_TRUE(lines.next());
      EXPECT_THAT(message_of<DataError>([&] { lines.next(); }),
                  testing::AllOf(HasSubstr("long:3: this line has no partner"), HasSubstr("long has 4 lines"),
                                 HasSubstr("short has 2;")));
    }
  }
}

TEST(AlignedLines, ALineThatIsNoUtf8IsNamedWhereItHasPartners) {
  const TestFolder folder;
  const std::vector<std::string> paths = {folder.write("a", "1\n2\n"), folder.write("b", "1\n\xFF\n3\n")};
  AlignedLines lines(paths, false);
  EXPECT_TRUE(lines.next());
  EXPECT_THAT(message_of<DataError>([&] { lines.next(); }), HasSubstr("b:2: byte 1 (0xFF) is not UTF-8"));
}

}  // namespace
}  // namespace rondo
