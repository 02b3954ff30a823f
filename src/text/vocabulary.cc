#include "text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "base/errors.h"
#include "text/tokenizer_kinds.h"

namespace rondo {

Vocabulary::Vocabulary() : tokens_{kUnknownToken}, slots_(2, kEmpty) {
  slots_[slot(kUnknownToken)] = kUnknown;
}

size_t Vocabulary::slot(std::string_view token) const {
  const size_t mask = slots_.size() - 1;
  size_t at = TokenHash()(token) & mask;
  while (slots_[at] != kEmpty && tokens_[static_cast<size_t>(slots_[at])] != token) at = (at + 1) & mask;
  return at;
}

Vocabulary Vocabulary::from_tokens(std::vector<std::string> tokens) {
  if (tokens.empty()) throw_error<FormatError>("vocabulary: no tokens, expected the unknown word at least");
  if (tokens.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw_error<FormatError>("vocabulary: {} tokens are more than 32-bit ids can number", tokens.size());
  }
  Vocabulary result;
  result.tokens_ = std::move(tokens);
  result.slots_.assign(std::bit_ceil(2 * result.tokens_.size()), kEmpty);
  for (size_t i = 0; i < result.tokens_.size(); ++i) {
    int32_t& place = result.slots_[result.slot(result.tokens_[i])];
    if (place != kEmpty) {
      throw_error<FormatError>("vocabulary: token \"{}\" stands at id {} and again at {}", result.tokens_[i],
                               place, i);
    }
    place = static_cast<int32_t>(i);
  }
  return result;
}

Vocabulary Vocabulary::bytes() {
  std::string every;
  for (int byte = 0; byte < 256; ++byte) every.push_back(static_cast<char>(byte));
  std::vector<std::string> tokens = make_bytes_tokenizer()->tokens(every);
  tokens.insert(tokens.begin(), kUnknownToken);
  return from_tokens(std::move(tokens));
}

int32_t Vocabulary::id(std::string_view token) const {
  const int32_t id = slots_[slot(token)];
  return id == kEmpty ? kUnknown : id;
}

std::vector<int32_t> Vocabulary::ids(std::span<const std::string> tokens) const {
  std::vector<int32_t> result;
  result.reserve(tokens.size());
  for (const std::string& token : tokens) result.push_back(id(token));
  return result;
}

const std::string& Vocabulary::token(int32_t id) const {
  if (id < 0 || id >= size()) throw_error<DataError>("vocabulary: id {} is not in 0 to {}", id, size() - 1);
  return tokens_[static_cast<size_t>(id)];
}

void VocabularyCounter::add(std::span<const std::string> tokens) {
  for (const std::string& token : tokens) ++counts_[token];
  total_ += static_cast<int64_t>(tokens.size());
}

void VocabularyCounter::add(std::string_view token, int64_t times) {
  const auto entry = counts_.find(token);
  if (entry != counts_.end()) {
    entry->second += times;
  } else {
    counts_.emplace(token, times);
  }
  total_ += times;
}

void VocabularyCounter::merge(const VocabularyCounter& other) {
  if (&other == this) {  // a map must not change under its own loop
    for (auto& [token, count] : counts_) count *= 2;
  } else {
    for (const auto& [token, count] : other.counts_) counts_[token] += count;
  }
  total_ += other.total_;
}

Vocabulary VocabularyCounter::build(int64_t min_count, int64_t max_size, TieOrder ties) const {
  if (min_count < 1) throw_error<ConfigError>("vocabulary: min_count must be at least 1, got {}", min_count);
  if (max_size < 0)
    throw_error<ConfigError>("vocabulary: max_size must be 0 (all) or more, got {}", max_size);
  using Entry = std::pair<const std::string, int64_t>;
  std::vector<const Entry*> kept;
  for (const Entry& entry : counts_) {
    if (entry.second >= min_count && entry.first != Vocabulary::kUnknownToken) kept.push_back(&entry);
  }
  std::sort(kept.begin(), kept.end(), [ties](const Entry* a, const Entry* b) {
    if (a->second != b->second) return a->second > b->second;
    return ties == TieOrder::kAscending ? a->first < b->first : b->first < a->first;
  });
  if (max_size > 0) kept.resize(std::min(kept.size(), static_cast<size_t>(max_size - 1)));
  std::vector<std::string> tokens{Vocabulary::kUnknownToken};
  tokens.reserve(kept.size() + 1);
  for (const Entry* entry : kept) tokens.push_back(entry->first);
  return Vocabulary::from_tokens(std::move(tokens));
}

int64_t VocabularyCounter::count(std::string_view token) const {
  const auto entry = counts_.find(token);
  return entry == counts_.end() ? 0 : entry->second;
}

}  // namespace rondo
