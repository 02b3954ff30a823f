// What the checks of texts share: places of what was found, and how bad a share of it is.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "inspect/finding.h"

namespace rondo {

/// Items that were found, the first few with their places.
struct Hits {
  int64_t count = 0;
  std::vector<std::string> where;

  void add(std::string place) {
    if (count++ < static_cast<int64_t>(Finding::kMostPlaces)) where.push_back(std::move(place));
  }
};

/// @param problem, warning  shares of `all` from which on it is one.
inline Severity by_share(int64_t count, int64_t all, double problem, double warning) {
  const double share = static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, all));
  if (share >= problem) return Severity::kProblem;
  return share >= warning ? Severity::kWarning : Severity::kNote;
}

}  // namespace rondo
