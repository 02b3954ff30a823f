#include "data/aligned_lines.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

namespace {

[[noreturn]] void throw_unequal(TextLines& longer, const TextLines& shorter) {
  const int64_t alone = longer.line();
  while (longer.next()) continue;
  throw_error<DataError>(
      "{}:{}: this line has no partner: {} has {} lines, {} has {}; each line needs its partner in the same "
      "line of the other file (an empty one may stand for none)",
      longer.name(), alone, longer.name(), longer.line(), shorter.name(), shorter.line());
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
  for (TextLines& file : files_) {
    std::optional<std::string> line = file.next();
    if (line) row.push_back(std::move(*line));
    TextLines*& kind = line ? goes_on : ended;
    if (kind == nullptr) kind = &file;
  }
  if (goes_on == nullptr) return std::nullopt;
  if (ended != nullptr) throw_unequal(*goes_on, *ended);
  ++line_;
  return row;
}

int64_t AlignedLines::replaced_lines() const {
  int64_t sum = 0;
  for (const TextLines& file : files_) sum += file.replaced_lines();
  return sum;
}

}  // namespace rondo
