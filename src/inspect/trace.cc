#include "inspect/trace.h"

#include <algorithm>

#include "base/errors.h"

namespace rondo {

const TracedSeries& LayerTrace::find(const std::string& name) const {
  const auto found = std::ranges::find(series, name, &TracedSeries::name);
  if (found != series.end()) return *found;
  std::string names;
  for (const TracedSeries& one : series) names += (names.empty() ? "" : " ") + one.name;
  throw_error<ConfigError>("trace: a layer of this cell has no series {}; it has {}", name, names);
}

}  // namespace rondo
