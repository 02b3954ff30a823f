// What the system says when a file operation fails, as the end of one of our sentences.
//   throw_error<IoError>("cannot read {}: {}", path, reason(errno));
#pragma once

#include <string>
#include <system_error>

namespace rondo {

/// "no space left on device": the system's words for an errno, without their capital.
inline std::string reason(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

/// A name with a zero byte would open the file of its first part.
inline bool has_zero(const std::string& path) { return path.find('\0') != std::string::npos; }

}  // namespace rondo
