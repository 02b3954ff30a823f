// A language model whole: tokenizer, vocabulary and network; text in, probabilities of what follows out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/language_network.h"
#include "text/vocabulary.h"

namespace rondo {

struct LanguageModel {
  std::unique_ptr<Tokenizer> tokenizer;
  Vocabulary vocabulary;
  std::unique_ptr<LanguageNetwork> network;

  const LanguageModelOptions& options() const { return network->options(); }
  /// The token that ends a document, and that the first token of one is predicted from.
  int32_t end() const { return vocabulary.id(Vocabulary::kEndToken); }
  std::vector<int32_t> encode(std::string_view text) const { return vocabulary.ids(tokenizer->tokens(text)); }
};

}  // namespace rondo
