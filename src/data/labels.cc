#include "data/labels.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/errors.h"
#include "data/wording.h"

namespace rondo {
namespace {

// Digits without a leading zero: names whose order by value is plain.
bool is_whole_number(const std::string& name) {
  const bool digits = !name.empty() && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  return digits && (name.size() == 1 || name[0] != '0');
}

bool by_value(const std::string& a, const std::string& b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

LabelSet::LabelSet(const LabelledCorpus& corpus) {
  std::set<std::string> names;
  for (const Example& example : corpus.examples) {
    names.insert(example.labels.begin(), example.labels.end());
    if (example.labels.size() != 1) multi_ = true;
  }
  if (names.empty() || (names.size() == 1 && !multi_)) {
    throw_error<DataError>(
        "{}: {}, expected two labels at least; check --label-column (read as {})", corpus.path,
        names.empty() ? "no label" : "one label only, '" + shorten(*names.begin()) + "'", corpus.format);
  }
  names_.assign(names.begin(), names.end());
  if (std::ranges::all_of(names_, is_whole_number)) std::ranges::sort(names_, by_value);
  number_names();
}

LabelSet::LabelSet(std::vector<std::string> names, bool multi) : names_(std::move(names)), multi_(multi) {
  number_names();
}

void LabelSet::number_names() {
  for (size_t i = 0; i < names_.size(); ++i) {
    if (names_[i].empty()) throw_error<DataError>("labels: label {} has no name", i);
    if (!indices_.emplace(names_[i], static_cast<int32_t>(i)).second) {
      throw_error<DataError>("labels: '{}' stands twice", names_[i]);
    }
  }
}

int32_t LabelSet::index(std::string_view name) const {
  const auto found = indices_.find(name);
  return found == indices_.end() ? kUnseen : found->second;
}

std::vector<UnseenLabel> unseen_labels(const LabelledCorpus& corpus, const LabelSet& labels) {
  std::map<std::string, size_t> places;
  std::vector<UnseenLabel> unseen;
  for (const Example& example : corpus.examples) {
    for (const std::string& name : example.labels) {
      if (labels.index(name) != LabelSet::kUnseen) continue;
      const auto [place, added] = places.emplace(name, unseen.size());
      if (added) unseen.push_back({.name = name, .examples = 0, .first_line = example.line});
      ++unseen[place->second].examples;
    }
  }
  return unseen;
}

}  // namespace rondo
