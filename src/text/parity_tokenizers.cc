// The tokenizers basic_english (torchtext), keras (TextVectorization) and spaces (Python's str.split()),
// which repeat others' results.
#include <array>
#include <cstdint>

#include "text/tokenizer_kinds.h"
#include "text/unicode.h"

namespace rondo {
namespace {

/// Collects the bytes of a word; flush() ends it.
class WordBuilder {
 public:
  void append(std::string_view bytes) { word_.append(bytes); }
  void flush() {
    if (!word_.empty()) words_.push_back(std::move(word_));
    word_.clear();
  }
  std::vector<std::string> take() {
    flush();
    return std::move(words_);
  }

 private:
  std::string word_;
  std::vector<std::string> words_;
};

/// What Python's str.split() splits at.
constexpr bool is_python_space(char32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x1F);
  return code == 0x85 || code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) ||
         code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

/// What basic_english does with a character.
enum class Role : uint8_t { kLetter, kToken, kGap };

constexpr auto kAsciiRole = [] {
  std::array<Role, 128> roles{};
  for (const char c : {'\'', '.', ',', '(', ')', '!', '?'}) roles[static_cast<size_t>(c)] = Role::kToken;
  for (const char c : {';', ':'}) roles[static_cast<size_t>(c)] = Role::kGap;
  for (char32_t c = 0; c < 0x80; ++c) {
    if (is_python_space(c)) roles[c] = Role::kGap;
  }
  return roles;
}();

Role role_of(char32_t code) {
  if (code < 0x80) return kAsciiRole[code];
  return is_python_space(code) ? Role::kGap : Role::kLetter;
}

/// torchtext.data.utils._basic_english_normalize: its twelve replacements in order are these two passes. The
/// double quote goes first because its loss can complete a "<br />"; none of the others can.
class BasicEnglishTokenizer : public Tokenizer {
 public:
  TokenizerKind kind() const override { return TokenizerKind::kBasicEnglish; }

  std::vector<std::string> tokens(std::string_view text) const override {
    std::vector<std::string> result;
    result.reserve(text.size() / 5 + 1);
    each_token(text, [&](std::string_view token) { result.emplace_back(token); });
    return result;
  }

  void each_token(std::string_view text, const std::function<void(std::string_view)>& take) const override {
    std::string lowered = full_lower_case(text);
    std::erase(lowered, '"');
    const std::string_view view = lowered;
    constexpr std::string_view kLineBreak = "<br />";
    size_t word = 0;  // where the word begins that is being read
    for (size_t position = 0; position < view.size();) {
      const size_t begin = position;
      const char32_t code = next_code_point(view, position);
      const bool line_break = code == '<' && view.substr(begin).starts_with(kLineBreak);
      const Role role = role_of(code);
      if (role == Role::kLetter && !line_break) continue;
      if (begin > word) take(view.substr(word, begin - word));
      if (line_break) position = begin + kLineBreak.size();
      if (role == Role::kToken) take(view.substr(begin, 1));
      word = position;
    }
    if (word < view.size()) take(view.substr(word));
  }
};

/// Keras's TextVectorization(standardize="lower_and_strip_punctuation", split="whitespace").
class KerasTokenizer : public Tokenizer {
 public:
  TokenizerKind kind() const override { return TokenizerKind::kKeras; }

  std::vector<std::string> tokens(std::string_view text) const override {
    require_utf8(text);
    WordBuilder words;
    for (const char byte : text) {
      const char small = byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
      if (byte == ' ' || (byte >= '\t' && byte <= '\r')) {
        words.flush();
      } else if (!is_punctuation(byte)) {
        words.append({&small, 1});
      }
    }
    return words.take();
  }

 private:
  static bool is_punctuation(char byte) {
    return (byte >= '!' && byte <= '/') || (byte >= ':' && byte <= '@') || (byte >= '[' && byte <= '`') ||
           (byte >= '{' && byte <= '~');
  }
};

class SpacesTokenizer : public Tokenizer {
 public:
  TokenizerKind kind() const override { return TokenizerKind::kSpaces; }

  std::vector<std::string> tokens(std::string_view text) const override {
    std::vector<std::string> result;
    each_token(text, [&](std::string_view token) { result.emplace_back(token); });
    return result;
  }

  void each_token(std::string_view text, const std::function<void(std::string_view)>& take) const override {
    require_utf8(text);
    size_t begin = 0;
    for (size_t position = 0; position < text.size();) {
      const size_t at = position;
      if (!is_python_space(next_code_point(text, position))) continue;
      if (at > begin) take(text.substr(begin, at - begin));
      begin = position;
    }
    if (begin < text.size()) take(text.substr(begin));
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_basic_english_tokenizer() {
  return std::make_unique<BasicEnglishTokenizer>();
}
std::unique_ptr<Tokenizer> make_keras_tokenizer() { return std::make_unique<KerasTokenizer>(); }
std::unique_ptr<Tokenizer> make_spaces_tokenizer() { return std::make_unique<SpacesTokenizer>(); }

}  // namespace rondo
