// The different words of texts, numbered, each with what a tagger reads of it: a batch works on each once.
//   WordForms forms(options, words, characters);  int32_t form = forms.add("Ada");
//   TaggerWords batch = forms.select(different_forms);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/tagger_options.h"
#include "text/vocabulary.h"

namespace rondo {

/// U words as numbers.
struct TaggerWords {
  std::vector<int32_t> ids;         ///< [U] in the vocabulary
  std::vector<int32_t> casings;     ///< [U] Casing
  std::vector<int32_t> characters;  ///< of all words, one word after the other
  std::vector<int64_t> ends{0};     ///< [U+1] where each word's characters end
  std::vector<uint8_t> rare;        ///< [U] 1: may be read as the unknown word in training; empty: none

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
};

/// What a word is counted and looked up as: normalised, its digits and case as the options say.
/// @throws DataError if it is not UTF-8.
std::string looked_up(std::string_view word, const TaggerOptions& options);

/// The code points of a word, normalised, at most `most`: of more the first and the last half.
/// @throws DataError if it is not UTF-8.
std::vector<std::string> characters_of(std::string_view word, int64_t most);

class WordForms {
 public:
  /// All must outlive it.
  WordForms(const TaggerOptions& options, const Vocabulary& words, const Vocabulary& characters)
      : options_(&options), words_(&words), characters_(&characters) {}

  /// The number of a word, from 0 in the order of their coming. @throws DataError if it is not UTF-8.
  int32_t add(const std::string& word);
  int64_t size() const { return all_.size(); }
  /// Its number in the vocabulary.
  int32_t id(int32_t form) const { return all_.ids[static_cast<size_t>(form)]; }
  /// Words that occur once: see TaggerWords::rare. @param rare  by number in the vocabulary.
  void mark_rare(const std::vector<uint8_t>& rare);

  /// What the network reads of these words.
  TaggerWords select(std::span<const int32_t> forms) const;

 private:
  int32_t look_up(const std::string& word) const;

  const TaggerOptions* options_;
  const Vocabulary* words_;
  const Vocabulary* characters_;
  TokenMap<int32_t> numbers_;
  TaggerWords all_;
};

/// The words of a batch: each different one once, and which stands in which packed row.
struct TaggerBatchWords {
  TaggerWords words;
  std::vector<int32_t> rows;  ///< [R]
};
/// @param packed  [R] numbers of forms.
TaggerBatchWords distinct_words(const WordForms& forms, std::span<const int32_t> packed);

}  // namespace rondo
