#include "training/training_observer.h"

#include <fmt/format.h>

#include <algorithm>

namespace rondo {

std::string line_list(std::vector<int64_t> lines) {
  constexpr size_t kShown = 32;
  std::sort(lines.begin(), lines.end());
  const size_t more = lines.size() - std::min(lines.size(), kShown);
  lines.resize(lines.size() - more);
  const std::string list = fmt::format("{}", fmt::join(lines, ", "));
  return more == 0 ? list : fmt::format("{} and {} more", list, more);
}

}  // namespace rondo
