// A translator with random weights over made-up words.
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "models/translator_model.h"

namespace rondo {

inline TextCoder small_coder(const std::string& letter, int words) {
  std::vector<std::string> tokens = {Vocabulary::kUnknownToken, Vocabulary::kEndToken};
  for (int i = 0; i < words; ++i) tokens.push_back(fmt::format("{}{}", letter, i));
  return {.tokenizer = make_tokenizer(TokenizerKind::kWords),
          .vocabulary = Vocabulary::from_tokens(std::move(tokens))};
}

inline TranslatorModel small_translator(uint64_t seed = 1, AttentionKind attention = AttentionKind::kGeneral,
                                        int target_words = 10) {
  TranslatorOptions options{.tokenizer = TokenizerKind::kWords, .embedding = 6, .hidden = 8};
  options.attention = attention;
  options.embedding_range = 2;  // far from the origin, so that words differ
  TranslatorModel model{
      .source = small_coder("s", 12), .target = small_coder("t", target_words), .network = {}};
  model.network = std::make_unique<TranslatorNetwork>(options, model.source.vocabulary.size(),
                                                      model.target.vocabulary.size());
  model.network->initialize(Stream(seed));
  return model;
}

/// Sentences of 0 to 9 of the words that small_coder("s", 12) knows, and one that it does not.
inline std::vector<std::string> small_sentences(size_t count) {
  std::vector<std::string> texts;
  const Stream stream(5);
  for (size_t i = 0; i < count; ++i) {
    std::string text;
    for (size_t w = 0; w < i % 10; ++w) text += fmt::format("s{} ", stream.below(16 * i + w, 13));
    texts.push_back(text);
  }
  return texts;
}

}  // namespace rondo
