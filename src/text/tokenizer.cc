#include "text/tokenizer.h"

#include <utility>

#include "base/errors.h"
#include "text/tokenizer_kinds.h"

namespace rondo {

void Tokenizer::each_token(std::string_view text, const std::function<void(std::string_view)>& take) const {
  for (const std::string& token : tokens(text)) take(token);
}

const std::string& Tokenizer::model() const {
  static const std::string none;
  return none;
}

std::string Tokenizer::join(std::span<const std::string> tokens) const {
  std::string text;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && spacing(tokens[i - 1]).behind && spacing(tokens[i]).before) text += ' ';
    text.append(tokens[i]);
  }
  return text;
}

Spacing Tokenizer::spacing(std::string_view) const { return {}; }

std::unique_ptr<Tokenizer> make_tokenizer(TokenizerKind kind, std::string sentencepiece_model) {
  const bool wants_model = kind == TokenizerKind::kSentencePiece;
  if (wants_model && sentencepiece_model.empty()) {
    throw_error<ConfigError>("tokenizer sentencepiece: no model, expected the bytes of a .model file");
  }
  if (!wants_model && !sentencepiece_model.empty()) {
    throw_error<ConfigError>("tokenizer {}: takes no SentencePiece model; choose sentencepiece",
                             name_of(kind));
  }
  switch (kind) {
    case TokenizerKind::kWords:
      return make_words_tokenizer();
    case TokenizerKind::kBasicEnglish:
      return make_basic_english_tokenizer();
    case TokenizerKind::kKeras:
      return make_keras_tokenizer();
    case TokenizerKind::kCharacters:
      return make_characters_tokenizer();
    case TokenizerKind::kBytes:
      return make_bytes_tokenizer();
    case TokenizerKind::kSpaces:
      return make_spaces_tokenizer();
    case TokenizerKind::kSentencePiece:
      return make_sentencepiece_tokenizer(std::move(sentencepiece_model));
  }
  throw_error<ConfigError>("tokenizer: no kind {}", static_cast<int>(kind));
}

}  // namespace rondo
