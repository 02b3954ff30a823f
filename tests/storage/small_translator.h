// A translator of a few numbers, not trained, for tests of what is around it.
#pragma once

#include "models/translator_model.h"

namespace rondo {

inline TranslatorModel small_translator(const TranslatorOptions& options) {
  const auto coder = [&](std::vector<std::string> tokens) {
    tokens.insert(tokens.begin(), {Vocabulary::kUnknownToken, Vocabulary::kEndToken});
    return TextCoder{.tokenizer = make_tokenizer(options.tokenizer),
                     .vocabulary = Vocabulary::from_tokens(std::move(tokens))};
  };
  TranslatorModel model;
  model.source = coder({"a", "b", "c"});
  model.target = options.joint ? model.source : coder({"x", "y", "z", "w"});
  model.network = std::make_unique<TranslatorNetwork>(options, model.source.vocabulary.size(),
                                                      model.target.vocabulary.size());
  model.network->initialize(Stream(3));
  return model;
}

inline TranslatorOptions small_translator_options() {
  return {.tokenizer = TokenizerKind::kSpaces, .embedding = 4, .hidden = 4};
}

}  // namespace rondo
