#include "training/run_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/errors.h"

namespace rondo {
namespace {

class RunLogTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "run_log_" + testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::string text() const {
    std::stringstream all;
    all << std::ifstream(path_).rdbuf();
    return all.str();
  }
  std::string path_;
};

TEST_F(RunLogTest, EachRecordIsALineThatStandsInTheFileAtOnce) {
  RunLog log(path_);
  log.append({{"step", 1}, {"note", "two\nlines"}});
  EXPECT_EQ(text(), "{\"note\":\"two\\nlines\",\"step\":1}\n");
  EXPECT_EQ(log.position(), static_cast<int64_t>(text().size()));
}

TEST_F(RunLogTest, OpeningAgainAppends) {
  RunLog(path_).append({{"step", 1}});
  RunLog log(path_);
  EXPECT_EQ(log.position(), 11);
  log.append({{"step", 2}});
  EXPECT_EQ(text(), "{\"step\":1}\n{\"step\":2}\n");
}

TEST_F(RunLogTest, ResumingDropsWhatCameAfterTheCheckpoint) {
  RunLog log(path_);
  log.append({{"step", 1}});
  const int64_t position = log.position();
  log.append({{"step", 2}});
  RunLog resumed(path_);
  resumed.truncate_to(position);
  resumed.append({{"step", 3}});
  EXPECT_EQ(text(), "{\"step\":1}\n{\"step\":3}\n");
}

TEST_F(RunLogTest, CutLineAfterThePositionIsDropped) {
  std::ofstream(path_) << "{\"step\":1}\n{\"st";
  RunLog log(path_);
  log.truncate_to(11);
  EXPECT_EQ(text(), "{\"step\":1}\n");
}

TEST_F(RunLogTest, WrongPositionIsAFormatErrorAndCutsNothing) {
  RunLog log(path_);
  log.append({{"step", 1}});
  EXPECT_THROW(log.truncate_to(5), FormatError);
  EXPECT_THROW(log.truncate_to(12), FormatError);
  EXPECT_THROW(log.truncate_to(-1), FormatError);
  EXPECT_EQ(text().size(), 11U);
}

TEST_F(RunLogTest, NumbersAndBytesThatJsonCannotHoldAreReplaced) {
  RunLog log(path_);
  log.append({{"loss", std::nan("")}, {"text", "a\xff"}});
  EXPECT_EQ(text(), "{\"loss\":null,\"text\":\"a\xef\xbf\xbd\"}\n");
}

TEST_F(RunLogTest, FolderThatIsNotThereIsAnIoError) {
  EXPECT_THROW(RunLog(path_ + "/none/run.jsonl"), IoError);
}

}  // namespace
}  // namespace rondo
