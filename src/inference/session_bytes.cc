#include "inference/session_bytes.h"

#include <zlib.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/errors.h"

namespace rondo {

static_assert(std::endian::native == std::endian::little);

namespace {

constexpr std::string_view kMagic = "RONDOSES";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeader = 8 + 4 + 4 + 8 + 8;

template <class T>
void append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
T take(std::string_view& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

uint32_t crc_of(std::string_view bytes) {
  return static_cast<uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

void check_header(std::string_view bytes, const SessionExpectation& expected) {
  const auto version = take<uint32_t>(bytes);
  if (version != kVersion) {
    throw_error<FormatError>("session: its state has version {}, this Rondo reads {}", version, kVersion);
  }
  if (take<uint32_t>(bytes) != expected.fingerprint) {
    throw_error<FormatError>(
        "session: the state is of another model or precision; restore it with the model that it was saved "
        "from");
  }
}

}  // namespace

std::string write_session(const SessionBytes& session) {
  std::string bytes(kMagic);
  append(bytes, kVersion);
  append(bytes, session.fingerprint);
  append(bytes, session.steps);
  append(bytes, static_cast<uint64_t>(session.numbers.size()));
  bytes.append(reinterpret_cast<const char*>(session.numbers.data()), session.numbers.size() * sizeof(float));
  append(bytes, crc_of(bytes));
  return bytes;
}

SessionBytes read_session(std::string_view bytes, const SessionExpectation& expected) {
  if (!bytes.starts_with(kMagic)) throw_error<FormatError>("session: these bytes are no state of a session");
  const size_t wanted = kHeader + expected.numbers * sizeof(float) + sizeof(uint32_t);
  if (bytes.size() >= kHeader) check_header(bytes.substr(kMagic.size()), expected);
  if (bytes.size() != wanted) {
    throw_error<FormatError>("session: the state has {} bytes, wanted {}: it is cut or altered", bytes.size(),
                             wanted);
  }
  std::string_view rest = bytes.substr(kHeader - 16);
  SessionBytes session{.fingerprint = expected.fingerprint, .steps = take<int64_t>(rest), .numbers = {}};
  const auto count = take<uint64_t>(rest);
  session.numbers.resize(expected.numbers);
  std::memcpy(session.numbers.data(), rest.data(), expected.numbers * sizeof(float));
  rest.remove_prefix(expected.numbers * sizeof(float));
  if (count != expected.numbers ||
      take<uint32_t>(rest) != crc_of(bytes.substr(0, wanted - sizeof(uint32_t)))) {
    throw_error<FormatError>("session: the state was altered after it was saved");
  }
  bool sound = session.steps >= 0 && session.steps <= expected.most_steps;
  for (const float number : session.numbers) sound = sound && std::isfinite(number);
  if (!sound) throw_error<FormatError>("session: the state holds numbers that no session can reach");
  return session;
}

}  // namespace rondo
