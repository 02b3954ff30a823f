#include "layers/crf_constraints.h"

#include <string_view>

#include "base/errors.h"

namespace rondo {

CrfConstraints::CrfConstraints(TagScheme scheme, std::span<const std::string> labels) : scheme_(scheme) {
  if (scheme == TagScheme::kNone) return;
  const bool bio = scheme == TagScheme::kBio;
  const std::string_view parts = bio ? "BI" : "BIES";
  for (const std::string& name : labels) {
    const bool outside = name == "O";
    const bool inside = !name.empty() && parts.find(name[0]) != std::string_view::npos &&
                        (name.size() == 1 || (name.size() > 2 && name[1] == '-'));
    if (!outside && !inside) {
      throw_error<ConfigError>("{} labels are O, {}, each alone or as in B-PER; got \"{}\"",
                               bio ? "BIO" : "BIOES", bio ? "B and I" : "B, I, E and S", name);
    }
    labels_.push_back({name, name[0], name.size() > 2 ? name.substr(2) : ""});
  }
}

bool CrfConstraints::opens(const Label& label) const { return label.part == 'B' || label.part == 'I'; }

bool CrfConstraints::continues(const Label& label) const { return label.part == 'I' || label.part == 'E'; }

bool CrfConstraints::allows(int32_t from, int32_t to) const {
  if (empty()) return true;
  const Label &a = labels_.at(static_cast<size_t>(from)), &b = labels_.at(static_cast<size_t>(to));
  if (continues(b)) return opens(a) && a.type == b.type;
  return scheme_ == TagScheme::kBio || !opens(a);
}

bool CrfConstraints::allows_first(int32_t label) const {
  return empty() || !continues(labels_.at(static_cast<size_t>(label)));
}

bool CrfConstraints::allows_last(int32_t label) const {
  return scheme_ != TagScheme::kBioes || !opens(labels_.at(static_cast<size_t>(label)));
}

int64_t CrfConstraints::first_break(std::span<const int32_t> labels) const {
  if (empty() || labels.empty()) return -1;
  if (!allows_first(labels.front())) return 0;
  for (size_t t = 1; t < labels.size(); ++t) {
    if (!allows(labels[t - 1], labels[t])) return static_cast<int64_t>(t);
  }
  return allows_last(labels.back()) ? -1 : static_cast<int64_t>(labels.size());
}

}  // namespace rondo
