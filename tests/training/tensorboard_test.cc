#include "training/tensorboard.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <vector>

#include "base/errors.h"

namespace rondo {
namespace {

/// CRC-32C as the remainder of a long division, bit by bit, highest power first: no table, not reflected.
uint32_t divide_crc(const std::string& bytes) {
  const auto reverse = [](uint32_t value, int bits) {
    uint32_t result = 0;
    for (int i = 0; i < bits; ++i) result |= (value >> i & 1) << (bits - 1 - i);
    return result;
  };
  uint32_t rest = 0xffffffffU;
  for (char byte : bytes) {
    rest ^= reverse(static_cast<uint8_t>(byte), 8) << 24;
    for (int bit = 0; bit < 8; ++bit) rest = (rest << 1) ^ (rest >> 31 ? 0x1edc6f41U : 0U);
  }
  return ~reverse(rest, 32);
}

uint32_t mask(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

template <class T>
T read_number(const std::string& bytes, size_t at) {
  T value{};
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

/// The fields of a message: number -> raw bytes (8, 4, or what the length says) or the varint as 8 bytes.
std::map<uint64_t, std::string> fields_of(const std::string& message) {
  std::map<uint64_t, std::string> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = static_cast<uint8_t>(message.at(at++));
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t key = varint();
    const uint64_t wire = key & 7;
    if (wire == 0) {
      const uint64_t value = varint();
      fields[key >> 3] = std::string(reinterpret_cast<const char*>(&value), 8);
      continue;
    }
    const size_t size = wire == 1 ? 8 : wire == 5 ? 4 : varint();
    fields[key >> 3] = message.substr(at, size);
    at += size;
  }
  return fields;
}

/// The messages of a file, checked frame by frame.
std::vector<std::map<uint64_t, std::string>> events_of(const std::string& path) {
  std::stringstream all;
  all << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string bytes = all.str();
  std::vector<std::map<uint64_t, std::string>> events;
  size_t at = 0;
  while (at < bytes.size()) {
    const auto size = read_number<uint64_t>(bytes, at);
    EXPECT_EQ(read_number<uint32_t>(bytes, at + 8), mask(divide_crc(bytes.substr(at, 8))));
    const std::string message = bytes.substr(at + 12, size);
    EXPECT_EQ(read_number<uint32_t>(bytes, at + 12 + size), mask(divide_crc(message)));
    events.push_back(fields_of(message));
    at += size + 16;
  }
  return events;
}

class EventFileTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "events_" +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "/deep";
    std::filesystem::remove_all(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(std::filesystem::path(directory_).parent_path()); }
  std::string directory_;
};

TEST(Crc32c, EqualsTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(divide_crc("123456789"), 0xe3069283U);
}

TEST_F(EventFileTest, BeginsWithTheVersion) {
  const EventFile file(directory_);
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at(3), "brain.Event:2");
  EXPECT_GT(read_number<double>(events[0].at(1), 0), 1.6e9);
}

TEST_F(EventFileTest, ScalarsReadBack) {
  EventFile file(directory_);
  file.scalar("train/loss", 0.75, 300);
  file.scalar(std::string(200, 'x'), -1e30, 1'234'567'890'123);
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(read_number<int64_t>(events[1].at(2), 0), 300);
  const auto first = fields_of(fields_of(events[1].at(5)).at(1));
  EXPECT_EQ(first.at(1), "train/loss");
  EXPECT_EQ(read_number<float>(first.at(2), 0), 0.75F);
  EXPECT_EQ(read_number<int64_t>(events[2].at(2), 0), 1'234'567'890'123);
  const auto second = fields_of(fields_of(events[2].at(5)).at(1));
  EXPECT_EQ(second.at(1), std::string(200, 'x'));
  EXPECT_EQ(read_number<float>(second.at(2), 0), -1e30F);
}

TEST_F(EventFileTest, ResumedRunSaysWhereItStarts) {
  const EventFile before(directory_);
  const EventFile file(directory_, 40);
  EXPECT_NE(file.path(), before.path());
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(read_number<int64_t>(events[1].at(2), 0), 40);
  EXPECT_EQ(read_number<uint64_t>(fields_of(events[1].at(7)).at(1), 0), 1U);  // SessionLog.START
}

TEST_F(EventFileTest, FileInPlaceOfTheFolderIsAnIoError) {
  std::filesystem::create_directories(std::filesystem::path(directory_).parent_path());
  std::ofstream(directory_) << "x";
  EXPECT_THROW(EventFile{directory_}, IoError);
}

}  // namespace
}  // namespace rondo
