#include "data/aligned_lines.h"

#include <algorithm>
#include <exception>

#include "base/errors.h"

namespace rondo {

namespace {

// @param alone  number of the first line that has no partner.
[[noreturn]] void throw_unequal(TextLines& longer, const TextLines& shorter, int64_t alone) {
  const int64_t all = longer.count_to_end();
  throw_error<DataError>(
      "{}:{}: this line has no partner: {} has {} lines, {} has {}; each line needs its partner in the same "
      "line of the other file (an empty one may stand for none)",
      longer.name(), alone, longer.name(), all, shorter.name(), shorter.line());
}

}  // namespace

AlignedLines::AlignedLines(std::span<const std::string> paths, bool replace_invalid) {
  if (std::ranges::count(paths, "-") > 1) {
    throw_error<ConfigError>("two of the files are standard input; all but one must be files");
  }
  for (const std::string& path : paths) files_.emplace_back(path, replace_invalid);
}

std::optional<std::vector<std::string>> AlignedLines::next() {
  std::vector<std::string> row;
  TextLines* ended = nullptr;
  TextLines* goes_on = nullptr;
  std::exception_ptr invalid;  // told only if the line has partners: else its bytes are not what is wrong
  for (TextLines& file : files_) {
    bool found = true;
    try {
      std::optional<std::string> line = file.next();
      found = line.has_value();
      if (line) row.push_back(std::move(*line));
    } catch (const DataError&) {
      if (!invalid) invalid = std::current_exception();
    }
    TextLines*& kind = found ? goes_on : ended;
    if (kind == nullptr) kind = &file;
  }
  if (goes_on == nullptr) return std::nullopt;
  if (ended != nullptr) throw_unequal(*goes_on, *ended, line_ + 1);
  if (invalid) std::rethrow_exception(invalid);
  ++line_;
  return row;
}

int64_t AlignedLines::replaced_lines() const {
  int64_t sum = 0;
  for (const TextLines& file : files_) sum += file.replaced_lines();
  return sum;
}

}  // namespace rondo
