#include "models/tag_scheme.h"

#include "rondo/errors.h"

namespace rondo {

namespace {

// "" and "X" of B and B-X.
std::string_view rest_of(std::string_view tag) { return tag.substr(std::min<size_t>(tag.size(), 1)); }

bool fits(TagScheme scheme, std::span<const std::string> labels) {
  try {
    const CrfConstraints constraints(scheme, labels);
  } catch (const ConfigError&) {
    return false;
  }
  return true;
}

bool any_begins_with(std::span<const std::string> labels, std::string_view parts) {
  for (const std::string& label : labels) {
    if (!label.empty() && parts.find(label[0]) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

TagScheme scheme_of(std::span<const std::string> labels) {
  if (fits(TagScheme::kBio, labels) && any_begins_with(labels, "BI")) return TagScheme::kBio;
  if (fits(TagScheme::kBioes, labels) && any_begins_with(labels, "ES")) return TagScheme::kBioes;
  return TagScheme::kNone;
}

std::vector<std::string> to_bioes(std::span<const std::string> tags) {
  std::vector<std::string> result(tags.begin(), tags.end());
  for (size_t i = 0; i < tags.size(); ++i) {
    if (!tags[i].starts_with('B') && !tags[i].starts_with('I')) continue;
    const bool ends =
        i + 1 == tags.size() || !tags[i + 1].starts_with('I') || rest_of(tags[i + 1]) != rest_of(tags[i]);
    if (ends) result[i][0] = tags[i][0] == 'B' ? 'S' : 'E';
  }
  return result;
}

std::string to_bio(const std::string& tag) {
  std::string result = tag;
  if (tag.starts_with('E')) result[0] = 'I';
  if (tag.starts_with('S')) result[0] = 'B';
  return result;
}

std::vector<std::string> to_bio(std::span<const std::string> tags) {
  std::vector<std::string> result;
  for (const std::string& tag : tags) result.push_back(to_bio(tag));
  return result;
}

}  // namespace rondo
