#include "inference/stop_strings.h"

#include <algorithm>

#include "base/errors.h"
#include "text/unicode.h"

namespace rondo {

StopStrings::StopStrings(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& stop : stops_) {
    if (stop.empty())
      throw_error<ConfigError>("--stop: an empty string stands everywhere; give one that does not");
    if (!is_valid_utf8(stop)) throw_error<ConfigError>("--stop: a stop string is not UTF-8");
  }
}

bool StopStrings::add(std::string_view piece, std::string& sure) {
  held_.append(piece);
  const size_t begin = find();
  const bool found = begin != std::string::npos;
  const size_t length = found ? begin : held_.size() - unsure();
  sure.append(held_, 0, length);
  held_.erase(0, found ? held_.size() : length);
  return found;
}

void StopStrings::finish(std::string& sure) {
  sure.append(held_);
  held_.clear();
}

// The first to end, of these the longest: whether pieces are long or short then makes no difference.
size_t StopStrings::find() const {
  size_t first_end = std::string::npos, begin = std::string::npos;
  for (const std::string& stop : stops_) {
    const size_t at = held_.find(stop);
    if (at == std::string::npos || at + stop.size() > first_end) continue;
    begin = at + stop.size() < first_end ? at : std::min(begin, at);
    first_end = at + stop.size();
  }
  return begin;
}

size_t StopStrings::unsure() const {
  size_t longest = 0;
  for (const std::string& stop : stops_) {
    size_t length = std::min(stop.size() - 1, held_.size());
    while (length > longest && !held_.ends_with(std::string_view(stop).substr(0, length))) --length;
    longest = std::max(longest, length);
  }
  return longest;
}

}  // namespace rondo
