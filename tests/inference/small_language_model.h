// A language model of random weights: what it says is of no interest, only that it says it twice.
#pragma once

#include "models/language_model.h"

namespace rondo {

inline LanguageModel small_language_model(LanguageModelOptions options, std::vector<std::string> tokens = {},
                                          uint64_t seed = 3) {
  LanguageModel model;
  model.tokenizer = make_tokenizer(options.tokenizer);
  if (tokens.empty()) {
    for (const char letter : std::string("abcdefghijklmnopqrst \n")) tokens.emplace_back(1, letter);
  }
  tokens.insert(tokens.begin(), {Vocabulary::kUnknownToken, Vocabulary::kEndToken});
  model.vocabulary = Vocabulary::from_tokens(std::move(tokens));
  model.network = std::make_unique<LanguageNetwork>(options, model.vocabulary.size());
  model.network->initialize(Stream(seed));
  // Far from uniform, so that a difference shows.
  for (Parameter& parameter : model.network->parameters().all()) {
    if (!parameter.trainable) continue;
    for (float& value : parameter.value.values<float>()) value *= 3;
  }
  return model;
}

}  // namespace rondo
