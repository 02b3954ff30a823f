// What a language model learns from: texts read, cut into tokens, split and numbered.
//   LanguageCorpus corpus = read_language_corpus(task);   // task.model has the shape of --from afterwards
//   corpus.train.size();  corpus.dev_description;         // "the last 10 % of the tokens"
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/documents.h"
#include "models/language_model.h"
#include "training/language_options.h"

namespace rondo {

struct LanguageCorpus {
  std::unique_ptr<Tokenizer> tokenizer;
  Vocabulary vocabulary;
  std::optional<LanguageModel> base;  ///< what the model begins from
  TokenStream train, dev;
  std::string format, dev_description;  ///< what was detected, what was held out
  std::vector<std::string> warnings;
};

/// Reads the input, trains subwords where they are wanted, builds the vocabulary and holds the dev text out.
/// @param task  takes over the shape of the model to begin from.
/// @throws DataError, IoError, ConfigError, FormatError as the files and options are.
LanguageCorpus read_language_corpus(LanguageTask& task);

}  // namespace rondo
