#include "data/csv.h"

#include <utility>

#include "base/errors.h"

namespace rondo {

std::optional<CsvRow> CsvReader::next() {
  do {
    std::optional<std::string> line = lines_.next();
    if (!line) return std::nullopt;
    text_ = std::move(*line);
  } while (text_.find_first_not_of(' ') == std::string::npos);

  CsvRow row{.cells = {}, .line = lines_.line()};
  for (position_ = 0;; ++position_) {  // steps over the separator
    const bool quoted = style_.quotes && position_ < text_.size() && text_[position_] == '"';
    row.cells.push_back(quoted ? quoted_cell() : plain_cell());
    if (position_ >= text_.size()) return row;
  }
}

std::string CsvReader::plain_cell() {
  const size_t begin =
      std::exchange(position_, std::min(text_.find(style_.separator, position_), text_.size()));
  return text_.substr(begin, position_ - begin);
}

// The cell that opens at position_; leaves position_ at the separator or the line's end.
std::string CsvReader::quoted_cell() {
  const int64_t opened = lines_.line();
  std::string cell;
  for (++position_;;) {
    const size_t quote = text_.find('"', position_);
    if (quote == std::string::npos) {
      cell.append(text_, position_);
      cell += '\n';
      std::optional<std::string> line = lines_.next();
      if (!line) {
        throw_error<DataError>(
            "{}:{}: a quote opens here and never closes; close it, or set --quotes to false if quotes are "
            "plain characters in this file",
            lines_.name(), opened);
      }
      text_ = std::move(*line);
      position_ = 0;
      continue;
    }
    cell.append(text_, position_, quote - position_);
    position_ = quote + 1;
    if (position_ >= text_.size() || text_[position_] != '"') break;
    cell += '"';
    ++position_;
  }
  while (position_ < text_.size() && text_[position_] == ' ' && style_.separator != ' ') ++position_;
  if (position_ < text_.size() && text_[position_] != style_.separator) {
    throw_error<DataError>(
        "{}:{}: text behind the closing quote of a cell that opened in line {}; double a quote inside a cell "
        "(\"\"), or set --quotes to false if quotes are plain characters in this file",
        lines_.name(), lines_.line(), opened);
  }
  return cell;
}

namespace {

// How many cells all rows of the sample have, or 0 if they differ. The sample may end inside a row.
size_t common_cells(TextLines sample, CsvStyle style) {
  size_t cells = 0;
  try {
    CsvReader rows(sample, style);
    while (std::optional<CsvRow> row = rows.next()) {
      if (cells != 0 && cells != row->cells.size()) return 0;
      cells = row->cells.size();
    }
  } catch (const DataError&) {
    // the rows before it decide; who reads the file meets the mistake again, with the right separator
  }
  return cells;
}

}  // namespace

char detect_separator(TextLines& lines, bool quotes, size_t count) {
  for (const char separator : {',', ';', '\t', '|'}) {
    if (common_cells(lines.sample(count), {.separator = separator, .quotes = quotes}) >= 2) return separator;
  }
  return ',';
}

std::string csv_cell(std::string_view text, char separator) {
  const bool plain = text.find_first_of("\"\r\n") == std::string_view::npos &&
                     text.find(separator) == std::string_view::npos;
  if (plain) return std::string(text);
  std::string cell = "\"";
  for (const char c : text) {
    if (c == '"') cell += '"';
    cell += c;
  }
  return cell + '"';
}

}  // namespace rondo
