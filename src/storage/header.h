// The JSON header of a safetensors file, parsed strictly: nothing is kept but the fields that the format
// knows, so neither a deep nor a wide header costs more memory than its own entries.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

/// What the header says of one tensor; nothing is checked against the file yet.
struct TensorEntry {
  std::string name;
  std::string dtype;            ///< "F32", ...
  std::vector<uint64_t> shape;  ///< at most kMaxDimensions
  std::vector<uint64_t> data_offsets;
};

struct TensorHeader {
  std::map<std::string, std::string> metadata;
  std::vector<TensorEntry> entries;  ///< in the order of the file
};

/// Far more than any model has; a hostile header must not buy memory with dimensions of 1.
inline constexpr size_t kMaxDimensions = 8;

/// @param path  for messages.
/// @throws FormatError: no JSON, a key twice, or anything but what the format allows.
TensorHeader parse_tensor_header(std::string_view json, const std::string& path);

/// A name out of a file as a message may show it: in quotes, escaped as in JSON, cut when it is long.
std::string in_quotes(std::string_view name);

}  // namespace rondo
