// Text to tokens. Seven ways, chosen by name; a model file stores the name, and SentencePiece's model with
// it.
//   auto tokenizer = make_tokenizer(TokenizerKind::kWords);
//   tokenizer->tokens("I don't know.");  // i, don't, know, .
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/options.h"

namespace rondo {

enum class TokenizerKind { kWords, kBasicEnglish, kKeras, kCharacters, kBytes, kSentencePiece, kSpaces };

template <>
inline constexpr auto kNames<TokenizerKind> = std::array{
    std::pair{TokenizerKind::kWords, "words"},   std::pair{TokenizerKind::kBasicEnglish, "basic_english"},
    std::pair{TokenizerKind::kKeras, "keras"},   std::pair{TokenizerKind::kCharacters, "characters"},
    std::pair{TokenizerKind::kBytes, "bytes"},   std::pair{TokenizerKind::kSentencePiece, "sentencepiece"},
    std::pair{TokenizerKind::kSpaces, "spaces"},
};

/// Whether a token lets a space stand before it, and behind it.
struct Spacing {
  bool before = true, behind = true;
};

/// Cuts a text into tokens. Unchanging after construction: threads may share one.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  /// The tokens of `text` in order, none of them empty; an empty text has none.
  /// @throws DataError with the offset if `text` is no UTF-8 (`bytes` takes anything).
  virtual std::vector<std::string> tokens(std::string_view text) const = 0;

  /// The same tokens one by one, without a copy where the kind can do so; `take` must not keep them.
  virtual void each_token(std::string_view text, const std::function<void(std::string_view)>& take) const;

  /// A text that reads like `tokens`, with spaces by spacing(); SentencePiece and `bytes` give the very
  /// text back (bytes cut inside a character: with U+FFFD).
  virtual std::string join(std::span<const std::string> tokens) const;
  /// Two tokens have a space between them in a joined text where both allow it: characters never do, words
  /// do; of the kind `words` a comma, a full stop and the like none before them, an opening bracket none
  /// behind.
  virtual Spacing spacing(std::string_view token) const;

  virtual TokenizerKind kind() const = 0;

  /// The bytes of the SentencePiece model, else empty.
  virtual const std::string& model() const;
};

/// The tokenizer of that kind.
///
/// `words` (for any language, the default): normal form C, simple lower case, then
///   - a word is a run of letters, marks and digits; a hyphen parts words. To it belong an apostrophe before
///     a letter (don't; U+2019 counts as '), a . or , between two digits (1,000.5), and U+200C or U+200D
///     between two of its characters;
///   - an ideograph (Han) is a token by itself, since no space parts words there;
///   - any other visible character is a token: punctuation a character, an emoji its whole cluster;
///   - white space and control characters part tokens and vanish; soft hyphens and direction marks vanish.
/// `basic_english`: torchtext's tokenizer of that name, with Python's str.lower() and str.split().
/// `keras`: TextVectorization's default: A-Z to lower case (other letters stay: tf.strings.lower maps ASCII
///   only), the ASCII punctuation deleted (don't becomes dont), split at ASCII white space.
/// `characters`: one token a code point of the text in normal form C, CR LF as LF; case and space stay.
/// `bytes`: one token a byte: itself if printable ASCII, else "<0xNN>"; not normalised.
/// `sentencepiece`: the pieces of `sentencepiece_model`, the bytes of a .model file.
/// `spaces`: what stands between white space, as Python's str.split(), and nothing else changed: for text
/// that
///   is tokenised already, such as WikiText.
///
/// @throws FormatError if `sentencepiece_model` is no SentencePiece model; ConfigError if it is missing, or
///   given with another kind.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerKind kind, std::string sentencepiece_model = "");

/// The byte that a token "<0xNN>" stands for (`bytes`, and SentencePiece with byte fallback), if it is one.
std::optional<uint8_t> byte_of_token(std::string_view token);

}  // namespace rondo
