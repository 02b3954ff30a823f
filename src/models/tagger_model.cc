#include "models/tagger_model.h"

#include <algorithm>
#include <utility>

namespace rondo {

std::string TaggerModel::tag(int32_t label) const {
  const std::string& name = labels.name(label);
  return options().convert == TagConversion::kBioes ? to_bio(name) : name;
}

std::vector<std::string> TaggerModel::written_tags() const {
  std::vector<std::string> names;
  for (int32_t k = 0; k < labels.size(); ++k) {
    std::string name = tag(k);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> TaggerModel::tags(std::span<const int32_t> chosen) const {
  std::vector<std::string> names;
  for (const int32_t label : chosen) names.push_back(tag(label));
  return names;
}

}  // namespace rondo
