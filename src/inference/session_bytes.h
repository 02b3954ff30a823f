// The state of a session as bytes, little-endian: "RONDOSES", version (4), fingerprint of the model (4),
// steps (8), count of numbers (8), the numbers (float32), CRC-32 of all before it (4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

struct SessionBytes {
  uint32_t fingerprint = 0;
  int64_t steps = 0;
  std::vector<float> numbers;
};

/// What the session that reads them is.
struct SessionExpectation {
  uint32_t fingerprint = 0;
  int64_t most_steps = 0;
  size_t numbers = 0;
};

std::string write_session(const SessionBytes& session);

/// @throws FormatError that says what is wrong: cut, altered, newer, of another model, or not finite.
SessionBytes read_session(std::string_view bytes, const SessionExpectation& expected);

}  // namespace rondo
