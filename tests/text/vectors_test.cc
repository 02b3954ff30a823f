#include "text/vectors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class VectorsTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = testing::TempDir() + "rondo_vectors_" + test->name() + ".txt";
  }
  void TearDown() override { std::filesystem::remove(path_); }

  Vectors read(const std::string& content, std::vector<std::string> words) {
    std::ofstream(path_, std::ios::binary) << content;
    words.insert(words.begin(), "<unk>");
    return read_vectors(path_, Vocabulary::from_tokens(std::move(words)));
  }

  void expect_error(const std::string& content, const std::string& message) {
    try {
      read(content, {"a", "b"});
      FAIL() << content;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(path_ + message)) << content;
    }
  }

  std::string path_;
};

TEST_F(VectorsTest, GloveRowsGoToTheirWords) {
  const Vectors v = read("x 9 9\nb 1.5 -2e-1\na 3 4\n", {"a", "b", "c"});
  EXPECT_EQ(v.dimension, 2);
  EXPECT_THAT(v.values, ElementsAre(0, 0, 3, 4, 1.5F, -0.2F, 0, 0));
  EXPECT_THAT(v.found, ElementsAre(0, 1, 1, 0));
  EXPECT_EQ(v.num_found, 2);
}

TEST_F(VectorsTest, AHeaderIsDetected) {
  const Vectors v = read("2 3\na 1 2 3 \nb 4 5 6 \n", {"b"});  // word2vec ends its lines with a space
  EXPECT_EQ(v.dimension, 3);
  EXPECT_THAT(v.values, ElementsAre(0, 0, 0, 4, 5, 6));
}

TEST_F(VectorsTest, TheUnknownWordMayHaveAVector) {
  EXPECT_THAT(read("<unk> 7\na 1\n", {"a"}).values, ElementsAre(7, 1));
}

TEST_F(VectorsTest, TabsAndCrLfAndAMissingLastNewlineAreFine) {
  EXPECT_THAT(read("a\t1\t2\r\nb 3 4", {"a", "b"}).values, ElementsAre(0, 0, 1, 2, 3, 4));
}

TEST_F(VectorsTest, AWordMayHoldSpaces) {
  const Vectors v = read("a 1 2\n. . . 3 4\n. 5 6\n", {". . .", "."});
  EXPECT_THAT(v.values, ElementsAre(0, 0, 3, 4, 5, 6));
}

TEST_F(VectorsTest, TheExactWordComesBeforeItsLowerCase) {
  EXPECT_THAT(read("paris 1\nParis 2\n", {"Paris", "PARIS", "paris"}).values, ElementsAre(0, 2, 1, 1));
  EXPECT_THAT(read("Paris 2\nparis 1\n", {"Paris", "PARIS", "paris"}).values, ElementsAre(0, 2, 1, 1));
  EXPECT_EQ(read("Paris 2\n", {"paris"}).num_found, 0);
}

TEST_F(VectorsTest, OfARepeatedWordTheFirstCounts) {
  EXPECT_THAT(read("a 1\na 2\n", {"a"}).values, ElementsAre(0, 1));
}

TEST_F(VectorsTest, TinyNumbersAreZero) {
  EXPECT_THAT(read("a 1e-60 1e-400\n", {"a"}).values, ElementsAre(0, 0, 0, 0));
}

TEST_F(VectorsTest, MistakesNameFileAndLine) {
  expect_error("a 1 2\nb 3\n", ":2: 2 columns, expected a word and 2 numbers");
  expect_error("a 1 2\nb 3 4 5 6\n", ":2: 5 columns");
  expect_error("a 1 2\n\nb 3 4\n", ":2: 0 columns");
  expect_error("a 1 x\n", ":1: \"x\" is no finite number");
  expect_error("a 1 2\nb nan 1\n", ":2: \"nan\"");
  expect_error("a 1 inf\n", ":1: \"inf\"");
  expect_error("a 1 1e39\n", ":1: \"1e39\"");
  expect_error("a 1 1e999\n", ":1: \"1e999\"");
  expect_error("3 2\na 1 2\nb 3 4\n", ":3: the file ends after 2 vectors, its first line says 3");
  expect_error("1 99999999999\na 1\n", ":1: vectors of 99999999999 numbers");
  expect_error("5 0\n", ":1: vectors of 0 numbers");
  expect_error("word\n", ":1: vectors of 0 numbers");
  expect_error("", ": no vectors");
}

TEST_F(VectorsTest, GzipIsOpened) {
  gzFile file = gzopen(path_.c_str(), "wb");
  gzputs(file, "a 1 2\nb 3 4\n");
  gzclose(file);
  EXPECT_THAT(read_vectors(path_, Vocabulary::from_tokens({"<unk>", "b"})).values, ElementsAre(0, 0, 3, 4));
}

TEST_F(VectorsTest, AMissingFileIsAnIoError) {
  EXPECT_THROW(read_vectors(path_ + ".none", Vocabulary()), IoError);
}

TEST_F(VectorsTest, TheWordsOfAFileCanBeAskedForAlone) {
  std::ofstream(path_, std::ios::binary) << "4 2\nb 1 2\na 3 4\n\xFF 5 6\n. . 7 8\n";
  EXPECT_THAT(vector_words(path_), ElementsAre("b", "a", ". ."));
  std::ofstream(path_, std::ios::binary) << "b 1 2\na 3\n";
  EXPECT_THROW(vector_words(path_), DataError);
}

}  // namespace
}  // namespace rondo
