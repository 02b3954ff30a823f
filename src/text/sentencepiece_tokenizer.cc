// The tokenizer sentencepiece, and the vocabulary of its pieces.
#include <sentencepiece_processor.h>

#include <algorithm>
#include <exception>

#include "base/errors.h"
#include "text/sentencepiece_check.h"
#include "text/tokenizer_kinds.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace rondo {
namespace {

using Processor = sentencepiece::SentencePieceProcessor;

/// Loads `model` into `processor`. @throws FormatError.
void load(Processor& processor, const std::string& model) {
  check_sentencepiece_model(model);
  std::string problem;
  try {
    const auto status = processor.LoadFromSerializedProto(model);
    if (status.ok() && processor.GetPieceSize() > 0) return;
    problem = status.ok() ? "it has no pieces" : status.message();
  } catch (const std::exception& error) {  // of its trie builder
    problem = error.what();
  }
  throw_error<FormatError>("sentencepiece: not a usable .model file ({}); train it again with spm_train",
                           problem);
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  explicit SentencePieceTokenizer(std::string model) : model_(std::move(model)) { load(processor_, model_); }

  TokenizerKind kind() const override { return TokenizerKind::kSentencePiece; }
  const std::string& model() const override { return model_; }

  std::vector<std::string> tokens(std::string_view text) const override {
    require_utf8(text);
    std::vector<std::string> pieces;
    const auto status = processor_.Encode(text, &pieces);
    if (!status.ok()) throw_error<DataError>("sentencepiece: cannot encode a text ({})", status.message());
    return pieces;
  }

  // The processor writes a piece that the model lacks as it is: its mark of a word's beginning too. A text
  // with such a piece (the source's, in the place of an unknown one) gets spaces for the marks here.
  std::string join(std::span<const std::string> tokens) const override {
    std::string text;
    const auto status = processor_.Decode(std::vector<std::string>(tokens.begin(), tokens.end()), &text);
    if (!status.ok()) throw_error<DataError>("sentencepiece: cannot decode pieces ({})", status.message());
    const auto marked = [&](const std::string& token) {
      return token.find(kMark) != std::string::npos && lacks(token);
    };
    if (std::ranges::none_of(tokens, marked)) return text;
    for (size_t at = text.find(kMark); at != std::string::npos; at = text.find(kMark, at)) {
      text.replace(at, kMark.size(), at == 0 ? 0 : 1, ' ');
    }
    return text;
  }

 private:
  static constexpr std::string_view kMark = "\xE2\x96\x81";

  bool lacks(const std::string& token) const {
    const int id = processor_.PieceToId(token);
    return processor_.IsUnknown(id) && processor_.IdToPiece(id) != token;
  }

  std::string model_;
  Processor processor_;
};

}  // namespace

std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(std::string model) {
  return std::make_unique<SentencePieceTokenizer>(std::move(model));
}

Vocabulary Vocabulary::from_sentencepiece(const std::string& model) {
  Processor processor;
  load(processor, model);
  const int unknown = processor.unk_id();
  std::vector<std::string> pieces{processor.IdToPiece(unknown)};
  for (int id = 0; id < processor.GetPieceSize(); ++id) {
    if (id != unknown) pieces.push_back(processor.IdToPiece(id));
  }
  return from_tokens(std::move(pieces));
}

}  // namespace rondo
