// The tokenizer words: see make_tokenizer() for its rules.
#include <utf8proc.h>

#include <array>
#include <cstdint>

#include "text/tokenizer_kinds.h"
#include "text/unicode.h"

namespace rondo {
namespace {

enum class CharacterClass : uint8_t { kSpace, kLetter, kDigit, kSymbol };

constexpr char32_t kNonJoiner = 0x200C;
constexpr char32_t kJoiner = 0x200D;
constexpr char32_t kRightQuote = 0x2019;

constexpr auto kAsciiClass = [] {
  std::array<CharacterClass, 128> classes{};  // control characters and space: kSpace
  for (char c = '!'; c <= '~'; ++c) classes[static_cast<size_t>(c)] = CharacterClass::kSymbol;
  for (char c = '0'; c <= '9'; ++c) classes[static_cast<size_t>(c)] = CharacterClass::kDigit;
  for (char c = 'a'; c <= 'z'; ++c) classes[static_cast<size_t>(c)] = CharacterClass::kLetter;
  for (char c = 'A'; c <= 'Z'; ++c) classes[static_cast<size_t>(c)] = CharacterClass::kLetter;
  return classes;
}();

bool is_ideograph(char32_t code) {
  return (code >= 0x4E00 && code <= 0x9FFF) || (code >= 0x3400 && code <= 0x4DBF) ||
         (code >= 0x3005 && code <= 0x3007) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0x20000 && code <= 0x323AF);
}

CharacterClass class_of(char32_t code) {
  if (code < 0x80) return kAsciiClass[code];
  if (is_ideograph(code)) return CharacterClass::kSymbol;  // a token by itself
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharacterClass::kLetter;
    case UTF8PROC_CATEGORY_ND:
      return CharacterClass::kDigit;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
      return CharacterClass::kSpace;
    default:
      return CharacterClass::kSymbol;
  }
}

bool is_of_word(CharacterClass kind) {
  return kind == CharacterClass::kLetter || kind == CharacterClass::kDigit;
}

/// Soft hyphen, direction marks, word joiner, byte order mark: of layout, not of the text.
bool is_invisible(char32_t code) {
  return code == 0xAD || code == 0x61C || code == 0x200E || code == 0x200F ||
         (code >= 0x202A && code <= 0x202E) || code == 0x2060 || (code >= 0x2066 && code <= 0x2069) ||
         code == 0xFEFF;
}

/// Lower-cased, in normal form C, without invisible characters, with ' for U+2019.
std::string prepare(std::string_view text) {
  size_t ascii = 0;
  while (ascii < text.size() && static_cast<uint8_t>(text[ascii]) < 0x80) ++ascii;
  if (ascii == text.size()) return lower_case(text);
  require_utf8(text);
  std::string kept(text.substr(0, ascii));
  kept.reserve(text.size());
  for (size_t position = ascii; position < text.size();) {
    const char32_t code = next_code_point(text, position);
    if (!is_invisible(code)) append_code_point(kept, code == kRightQuote ? U'\'' : code);
  }
  // Normal first, so that I with a dot becomes i however it is written; and after, since a small letter may
  // have a composed form where its capital has none (J and caron).
  return normalize(lower_case(normalize(kept)));
}

class WordScanner {
 public:
  explicit WordScanner(std::string_view text) : text_(text) {}

  /// The next token; empty at the end.
  std::string_view next() {
    while (position_ < text_.size()) {
      const size_t begin = position_;
      const char32_t code = next_code_point(text_, position_);
      const CharacterClass kind = class_of(code);
      if (kind == CharacterClass::kSpace) continue;
      if (is_of_word(kind)) {
        finish_word(kind);
      } else {
        finish_cluster(code);
      }
      return text_.substr(begin, position_ - begin);
    }
    return {};
  }

 private:
  /// Moves behind the last character of the word whose character of class `last` was read.
  void finish_word(CharacterClass last) {
    while (position_ < text_.size()) {
      size_t after = position_;
      const char32_t code = next_code_point(text_, after);
      const CharacterClass kind = class_of(code);
      if (is_of_word(kind)) {
        last = kind;
      } else if (!joins(code, last, class_at(after))) {
        return;
      }
      position_ = after;
    }
  }

  /// Moves behind the grapheme cluster whose first code point was read.
  void finish_cluster(char32_t code) {
    utf8proc_int32_t state = 0;
    while (position_ < text_.size()) {
      size_t after = position_;
      const char32_t following = next_code_point(text_, after);
      if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(code),
                                           static_cast<utf8proc_int32_t>(following), &state)) {
        return;
      }
      code = following;
      position_ = after;
    }
  }

  CharacterClass class_at(size_t position) const {
    return position < text_.size() ? class_of(next_code_point(text_, position)) : CharacterClass::kSpace;
  }

  /// True if `code` between characters of these classes belongs to the word.
  static bool joins(char32_t code, CharacterClass before, CharacterClass after) {
    if (code == U'\'') return after == CharacterClass::kLetter;
    if (code == U'.' || code == U',')
      return before == CharacterClass::kDigit && after == CharacterClass::kDigit;
    return (code == kJoiner || code == kNonJoiner) && is_of_word(after);
  }

  std::string_view text_;
  size_t position_ = 0;
};

class WordsTokenizer : public Tokenizer {
 public:
  TokenizerKind kind() const override { return TokenizerKind::kWords; }

  std::vector<std::string> tokens(std::string_view text) const override {
    std::vector<std::string> result;
    result.reserve(text.size() / 5 + 1);
    each_token(text, [&](std::string_view token) { result.emplace_back(token); });
    return result;
  }

  void each_token(std::string_view text, const std::function<void(std::string_view)>& take) const override {
    const std::string prepared = prepare(text);
    WordScanner scanner(prepared);
    for (auto token = scanner.next(); !token.empty(); token = scanner.next()) take(token);
  }

  Spacing spacing(std::string_view token) const override {
    const auto is_one_of = [&](std::string_view characters) {
      return token.size() == 1 && characters.find(token) != std::string_view::npos;
    };
    return {.before = !is_one_of(",.;:!?)]}"), .behind = !is_one_of("([{")};
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_words_tokenizer() { return std::make_unique<WordsTokenizer>(); }

}  // namespace rondo
