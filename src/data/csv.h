// Rows of CSV and TSV: quotes, doubled quotes and line breaks in cells after RFC 4180, any separator.
//   TextLines lines("news.csv", false);  CsvReader rows(lines, {.separator = ','});
//   while (auto row = rows.next()) use(row->cells, row->line);
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text_lines.h"

namespace rondo {

struct CsvStyle {
  char separator = ',';
  bool quotes = true;  ///< false: a quote is a character like any other
};

struct CsvRow {
  std::vector<std::string> cells;
  int64_t line = 0;  ///< the physical line that the row begins in
};

/// Reads row after row; blank lines between rows are skipped. A cell is quoted if a quote is its first
/// character; line breaks inside quotes become LF. A quote later in an unquoted cell stands for itself (5"
/// disk), and spaces between a closing quote and the separator are dropped.
class CsvReader {
 public:
  CsvReader(TextLines& lines, CsvStyle style) : lines_(lines), style_(style) {}

  /// @throws DataError `file:line: ...` for a quote that never closes (naming the line where it opened) and
  ///         for text behind a closing quote.
  std::optional<CsvRow> next();

 private:
  std::string quoted_cell();
  std::string plain_cell();

  TextLines& lines_;
  CsvStyle style_;
  std::string text_;     // the physical line
  size_t position_ = 0;  // in text_
};

/// The first of , ; tab | that cuts the rows in the next `count` lines into the same number of cells, two at
/// least; the comma if none does.
char detect_separator(TextLines& lines, bool quotes, size_t count);

/// `text` as a cell of a written file: in quotes if it needs them.
std::string csv_cell(std::string_view text, char separator);

}  // namespace rondo
