// Tokens and their numbers. Id 0 is the unknown word; there is no padding token anywhere.
//   VocabularyCounter counter;  counter.add(tokenizer->tokens(text));
//   Vocabulary vocabulary = counter.build(/*min_count=*/2, /*max_size=*/20000);  vocabulary.id("theme");
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rondo {

/// Hash of a token, for look-ups by std::string_view without a copy.
struct TokenHash {
  using is_transparent = void;
  size_t operator()(std::string_view token) const { return std::hash<std::string_view>{}(token); }
};

/// A map with tokens as keys.
template <class Value>
using TokenMap = std::unordered_map<std::string, Value, TokenHash, std::equal_to<>>;

class Vocabulary {
 public:
  static constexpr int32_t kUnknown = 0;
  static constexpr const char* kUnknownToken = "<unk>";
  /// What a language model ends a document with, and begins one from.
  static constexpr const char* kEndToken = "</s>";

  /// Only the unknown word.
  Vocabulary();
  /// The tokens in the order of their ids; tokens[0] is the unknown word.
  /// @throws FormatError if there is none, or one stands there twice.
  static Vocabulary from_tokens(std::vector<std::string> tokens);
  /// The pieces of a SentencePiece model (the bytes of its file) in the model's order, except that its
  /// unknown piece moves to id 0. @throws FormatError if that is no model.
  static Vocabulary from_sentencepiece(const std::string& model);

  /// The unknown word and the 256 tokens of the tokenizer `bytes`, in the order of the bytes: none is
  /// unknown.
  static Vocabulary bytes();

  /// The id of a token, or kUnknown.
  int32_t id(std::string_view token) const;
  /// The ids of tokens, one each.
  std::vector<int32_t> ids(std::span<const std::string> tokens) const;
  /// @throws DataError if there is no such id.
  const std::string& token(int32_t id) const;
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  /// Where `token` stands in slots_, or the empty slot that it would take.
  size_t slot(std::string_view token) const;

  std::vector<std::string> tokens_;
  // Hash table with linear probing: ids by the hash of their token, kEmpty between; half of it at most is
  // full. A map with nodes would hold every token twice.
  static constexpr int32_t kEmpty = -1;
  std::vector<int32_t> slots_;
};

/// The order of tokens of equal frequency, by their bytes.
enum class TieOrder {
  kAscending,   // as torchtext
  kDescending,  // as Keras's TextVectorization
};

/// Counts tokens and makes a vocabulary of the frequent ones. The result depends on the counts only, not
/// on the order of add() and merge().
class VocabularyCounter {
 public:
  void add(std::span<const std::string> tokens);
  /// Counts `token` as seen so many times more.
  void add(std::string_view token, int64_t times);
  void merge(const VocabularyCounter& other);

  /// The unknown word, then the tokens seen at least `min_count` times, the most frequent first.
  /// @param max_size  how many to keep, the unknown word included; 0: all.
  /// A token "<unk>" of the text takes no place of its own: it is the unknown word.
  /// @throws ConfigError if min_count < 1 or max_size < 0.
  Vocabulary build(int64_t min_count, int64_t max_size, TieOrder ties = TieOrder::kAscending) const;

  /// How often `token` was seen.
  int64_t count(std::string_view token) const;
  /// Number of different tokens seen.
  int64_t distinct() const { return static_cast<int64_t>(counts_.size()); }
  /// Number of tokens seen.
  int64_t total() const { return total_; }

 private:
  TokenMap<int64_t> counts_;
  int64_t total_ = 0;
};

}  // namespace rondo
