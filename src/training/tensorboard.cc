#include "training/tensorboard.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/errors.h"

namespace rondo {
namespace {

[[noreturn]] void fail(const std::string& path, int error) {
  throw_error<IoError>("{}: {}", path, std::strerror(error));
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void append_little_endian(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

// Protocol buffers: a field is a key (number, wire type), then a varint, 8 bytes, 4 bytes, or length and
// bytes.
enum class Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void append_key(std::string& out, uint32_t field, Wire wire) {
  append_varint(out, field << 3 | static_cast<uint32_t>(wire));
}

void append_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  append_key(out, field, Wire::kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

// Field numbers of tensorflow/core/util/event.proto and framework/summary.proto.
namespace event {
constexpr uint32_t kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace summary {
constexpr uint32_t kValue = 1, kTag = 1, kSimpleValue = 2;
}
namespace session_log {
constexpr uint32_t kStatus = 1;
constexpr uint64_t kStart = 1;
}  // namespace session_log

std::string event_at(int64_t step) {
  std::string out;
  append_key(out, event::kWallTime, Wire::kFixed64);
  append_little_endian(out, std::bit_cast<uint64_t>(seconds_now()), 8);
  append_key(out, event::kStep, Wire::kVarint);
  append_varint(out, static_cast<uint64_t>(step));
  return out;
}

/// TFRecord stores a rotated sum plus a constant, as the sum of bytes that hold their own sum is poor.
uint32_t masked_crc(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::string file_name() {
  static std::atomic<int> files{0};
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  std::string name = host.data();
  for (char& letter : name) {
    if (letter == '/') letter = '_';
  }
  const auto seconds = static_cast<int64_t>(seconds_now());
  return fmt::format("events.out.tfevents.{:010d}.{}.{}.{}", seconds, name, ::getpid(), files++);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> values{};
    for (uint32_t i = 0; i < values.size(); ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82f63b78U : 0);
      values[i] = value;
    }
    return values;
  }();
  uint32_t crc = ~0U;
  for (char byte : bytes) crc = table[(crc ^ static_cast<uint8_t>(byte)) & 0xff] ^ crc >> 8;
  return ~crc;
}

EventFile::EventFile(const std::string& directory, int64_t first_step) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) fail(directory, error.value());
  path_ = (std::filesystem::path(directory) / file_name()).string();
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(path_, errno);
  std::string version = event_at(0);
  append_bytes(version, event::kFileVersion, "brain.Event:2");
  append(version);
  if (first_step <= 0) return;
  std::string start;
  append_key(start, session_log::kStatus, Wire::kVarint);
  append_varint(start, session_log::kStart);
  std::string resumed = event_at(first_step);
  append_bytes(resumed, event::kSessionLog, start);
  append(resumed);
}

EventFile::~EventFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void EventFile::scalar(std::string_view tag, double value, int64_t step) {
  std::string point;
  append_bytes(point, summary::kTag, tag);
  append_key(point, summary::kSimpleValue, Wire::kFixed32);
  append_little_endian(point, std::bit_cast<uint32_t>(static_cast<float>(value)), 4);
  std::string values;
  append_bytes(values, summary::kValue, point);
  std::string message = event_at(step);
  append_bytes(message, event::kSummary, values);
  append(message);
}

void EventFile::append(std::string_view message) {
  std::string frame;
  append_little_endian(frame, message.size(), 8);
  append_little_endian(frame, masked_crc(frame), 4);
  frame += message;
  append_little_endian(frame, masked_crc(message), 4);
  size_t done = 0;
  while (done < frame.size()) {
    const ssize_t count = ::write(descriptor_, frame.data() + done, frame.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path_, errno);
    done += static_cast<size_t>(count);
  }
}

}  // namespace rondo
