// The lines of a text file, checked to be UTF-8, with a look ahead.
//   TextLines lines("news.csv", /*replace_invalid=*/false);
//   if (lines.peek(0)) { ... }  while (auto line = lines.next()) { ... }
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"

namespace rondo {

/// What becomes of bytes that are not UTF-8.
enum class InvalidBytes { kRefuse, kReplace, kKeep };

class TextLines {
 public:
  /// @throws IoError if the file cannot be opened.
  TextLines(const std::string& path, bool replace_invalid)
      : TextLines(path, replace_invalid ? InvalidBytes::kReplace : InvalidBytes::kRefuse) {}
  TextLines(const std::string& path, InvalidBytes invalid);

  /// The next line without its LF or CRLF, or nothing at the end.
  /// @throws DataError `file:line: ...` for bytes that are not UTF-8, unless they are replaced or kept.
  std::optional<std::string> next();
  /// The line that next() will give after `distance` others, or nullptr if the file ends before.
  const std::string* peek(size_t distance);
  /// Reads on to the end of the file, whatever bytes there are, and gives the number of its lines.
  int64_t count_to_end();
  /// A copy of at most `count` lines ahead, as if the file ended behind them.
  TextLines sample(size_t count);

  /// Number of the line that next() gave last, from 1.
  int64_t line() const { return line_; }
  int64_t replaced_lines() const { return replaced_lines_; }
  /// How messages call the file: its path, or "standard input".
  const std::string& name() const { return name_; }

 private:
  TextLines() = default;
  bool load();

  std::optional<LineReader> reader_;
  std::deque<std::string> ahead_;
  std::string name_;
  InvalidBytes invalid_ = InvalidBytes::kRefuse;
  int64_t line_ = 0;
  int64_t replaced_lines_ = 0;
};

}  // namespace rondo
