#include "data/wording.h"

#include <algorithm>

namespace rondo {

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::vector<std::string> split_list(std::string_view list, std::string_view separator) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const size_t end = separator.empty() ? list.size() : std::min(list.find(separator), list.size());
    const std::string_view part = trim(list.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    list.remove_prefix(std::min(list.size(), end + separator.size()));
  }
  return parts;
}

std::string shorten(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string(text);
  const auto continues = [&](size_t i) { return (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80; };
  while (limit > 0 && continues(limit)) --limit;
  return std::string(text.substr(0, limit)) + "...";
}

std::string short_list(std::span<const std::string> names) {
  constexpr size_t kShown = 12;
  std::string list;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i)
    list += (i == 0 ? "" : ", ") + shorten(names[i]);
  return names.size() > kShown ? list + ", ..." : list;
}

}  // namespace rondo
