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

}  // namespace
}  // namespace rondo
