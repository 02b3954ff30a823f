#include "models/word_forms.h"

#include <algorithm>

#include "text/casing.h"
#include "text/unicode.h"

namespace rondo {

std::string looked_up(std::string_view word, const TaggerOptions& options) {
  std::string text = normalize(word);
  if (options.word_case == WordCase::kLower) text = lower_case(text);
  if (options.digits) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }, '0');
  }
  return text;
}

std::vector<std::string> characters_of(std::string_view word, int64_t most) {
  const std::string text = normalize(word);
  std::vector<size_t> begins;
  for (size_t at = 0; at < text.size(); next_code_point(text, at)) begins.push_back(at);
  const auto limit = static_cast<size_t>(most);
  const size_t head = begins.size() > limit ? (limit + 1) / 2 : begins.size();
  const size_t tail = begins.size() > limit ? limit / 2 : 0;
  begins.push_back(text.size());
  std::vector<std::string> characters;
  for (size_t i = 0; i + 1 < begins.size(); ++i) {
    if (i >= head && i + 1 + tail < begins.size()) continue;
    characters.push_back(text.substr(begins[i], begins[i + 1] - begins[i]));
  }
  return characters;
}

int32_t WordForms::look_up(const std::string& word) const {
  const std::string text = looked_up(word, *options_);
  const int32_t id = words_->id(text);
  const bool again = id == Vocabulary::kUnknown && options_->word_case == WordCase::kFallback;
  return again ? words_->id(lower_case(text)) : id;
}

int32_t WordForms::add(const std::string& word) {
  if (const auto found = numbers_.find(word); found != numbers_.end()) return found->second;
  require_utf8(word);
  const auto number = static_cast<int32_t>(all_.ids.size());
  all_.ids.push_back(look_up(word));
  all_.casings.push_back(static_cast<int32_t>(casing_of(word)));
  if (options_->characters != CharacterPart::kNone) {
    for (const std::string& character : characters_of(word, options_->max_characters)) {
      all_.characters.push_back(characters_->id(character));
    }
  }
  all_.ends.push_back(static_cast<int64_t>(all_.characters.size()));
  numbers_.emplace(word, number);
  return number;
}

void WordForms::mark_rare(const std::vector<uint8_t>& rare) {
  all_.rare.clear();
  for (const int32_t id : all_.ids) all_.rare.push_back(rare[static_cast<size_t>(id)]);
}

TaggerWords WordForms::select(std::span<const int32_t> forms) const {
  TaggerWords chosen;
  for (const int32_t form : forms) {
    const auto f = static_cast<size_t>(form);
    chosen.ids.push_back(all_.ids[f]);
    chosen.casings.push_back(all_.casings[f]);
    const auto begin = all_.characters.begin() + all_.ends[f],
               end = all_.characters.begin() + all_.ends[f + 1];
    chosen.characters.insert(chosen.characters.end(), begin, end);
    chosen.ends.push_back(static_cast<int64_t>(chosen.characters.size()));
    if (!all_.rare.empty()) chosen.rare.push_back(all_.rare[f]);
  }
  return chosen;
}

TaggerBatchWords distinct_words(const WordForms& forms, std::span<const int32_t> packed) {
  std::vector<int32_t> different(packed.begin(), packed.end());
  std::sort(different.begin(), different.end());
  different.erase(std::unique(different.begin(), different.end()), different.end());
  TaggerBatchWords batch{.words = forms.select(different), .rows = {}};
  for (const int32_t form : packed) {
    const auto found = std::lower_bound(different.begin(), different.end(), form);
    batch.rows.push_back(static_cast<int32_t>(found - different.begin()));
  }
  return batch;
}

}  // namespace rondo
