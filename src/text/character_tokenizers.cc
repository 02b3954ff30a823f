// The tokenizers characters and bytes.
#include <charconv>
#include <cstdint>

#include "base/errors.h"
#include "text/tokenizer_kinds.h"
#include "text/unicode.h"

namespace rondo {
namespace {

class CharactersTokenizer : public Tokenizer {
 public:
  TokenizerKind kind() const override { return TokenizerKind::kCharacters; }

  std::vector<std::string> tokens(std::string_view text) const override {
    const std::string normal = normalize(text);
    const std::string_view view = normal;
    std::vector<std::string> result;
    result.reserve(view.size());
    for (size_t position = 0; position < view.size();) {
      const size_t begin = position;
      next_code_point(view, position);
      if (view[begin] == '\r' && position < view.size() && view[position] == '\n') continue;
      result.emplace_back(view.substr(begin, position - begin));
    }
    return result;
  }

  Spacing spacing(std::string_view) const override { return {.before = false, .behind = false}; }
};

bool is_printable(uint8_t byte) { return byte >= 0x20 && byte < 0x7F; }

class BytesTokenizer : public Tokenizer {
 public:
  BytesTokenizer() {
    for (int byte = 0; byte < 256; ++byte) {
      names_[static_cast<size_t>(byte)] = is_printable(static_cast<uint8_t>(byte))
                                              ? std::string(1, static_cast<char>(byte))
                                              : fmt::format("<0x{:02X}>", byte);
    }
  }

  TokenizerKind kind() const override { return TokenizerKind::kBytes; }

  std::vector<std::string> tokens(std::string_view text) const override {
    std::vector<std::string> result;
    result.reserve(text.size());
    for (const char byte : text) result.push_back(names_[static_cast<uint8_t>(byte)]);
    return result;
  }

  std::string join(std::span<const std::string> tokens) const override {
    std::string text;
    for (const std::string& token : tokens) append_byte(text, token);
    return replace_invalid_utf8(text);
  }

 private:
  static void append_byte(std::string& text, const std::string& token) {
    if (const auto byte = byte_of_token(token)) {
      text.push_back(static_cast<char>(*byte));
    } else {
      text.append(token);
    }
  }

  std::array<std::string, 256> names_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_characters_tokenizer() { return std::make_unique<CharactersTokenizer>(); }
std::unique_ptr<Tokenizer> make_bytes_tokenizer() { return std::make_unique<BytesTokenizer>(); }

std::optional<uint8_t> byte_of_token(std::string_view token) {
  unsigned byte = 0;
  const bool form = token.size() == 6 && token.starts_with("<0x") && token.back() == '>';
  if (!form || std::from_chars(token.data() + 3, token.data() + 5, byte, 16).ptr != token.data() + 5) {
    return std::nullopt;
  }
  return static_cast<uint8_t>(byte);
}

}  // namespace rondo
