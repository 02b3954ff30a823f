// A translator whole: tokenizers, vocabularies and network; text in, text out.
//   std::vector<int32_t> ids = model.encode_source("a dog runs");   // its end token included
//   std::string text = model.decode_target(ids_that_were_found);
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/translator_network.h"
#include "text/vocabulary.h"

namespace rondo {

/// The tokens of one language. Copies share the tokenizer.
struct TextCoder {
  std::shared_ptr<const Tokenizer> tokenizer;
  Vocabulary vocabulary;

  /// The token that ends a sentence, and that the first token of one is predicted from.
  int32_t end() const { return vocabulary.id(Vocabulary::kEndToken); }
  /// Ids of a text, without the end token: a token that is spelled like it is unknown.
  std::vector<int32_t> encode(std::string_view text) const;
  /// The text of ids; end tokens are left out.
  std::string decode(std::span<const int32_t> ids) const;
};

struct TranslatorModel {
  TextCoder source, target;  ///< of a joint vocabulary both are the same
  std::unique_ptr<TranslatorNetwork> network;

  const TranslatorOptions& options() const { return network->options(); }
  /// Ids of a source text with the end token behind: what the encoder reads, never empty.
  std::vector<int32_t> encode_source(std::string_view text) const;
  /// Ids of a target text, without its end.
  std::vector<int32_t> encode_target(std::string_view text) const { return target.encode(text); }
  std::string decode_target(std::span<const int32_t> ids) const { return target.decode(ids); }
};

}  // namespace rondo
