// Files whose lines belong together: sentences, their translations, more translations.
//   AlignedLines lines(std::vector<std::string>{"out.de", "test.de"}, /*replace_invalid=*/false);
//   while (auto row = lines.next()) { (*row)[0]; (*row)[1]; }
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/text_lines.h"

namespace rondo {

class AlignedLines {
 public:
  /// Two files at least, "-" being standard input. @throws IoError; ConfigError for "-" twice.
  AlignedLines(std::span<const std::string> paths, bool replace_invalid);

  /// The next line of each file, or nothing at their end.
  /// @throws DataError `file:line: ...` for a line without a partner, with the lines of both files, and for
  ///         bytes that are not UTF-8.
  std::optional<std::vector<std::string>> next();
  /// Number of the lines that next() gave last, from 1.
  int64_t line() const { return line_; }
  int64_t replaced_lines() const;

 private:
  std::vector<TextLines> files_;
  int64_t line_ = 0;
};

}  // namespace rondo
