// A tokenizer and its vocabulary, made from texts: what a translator's sides and a captioner learn to write.
//   TextCoder coder = build_coder({.tokenizer = TokenizerKind::kWords, .min_count = 2}, texts);
#pragma once

#include <string>
#include <vector>

#include "models/translator_model.h"

namespace rondo {

struct CoderOptions {
  TokenizerKind tokenizer = TokenizerKind::kWords;
  int64_t subwords = 8000;     ///< of a SentencePiece model that is trained on the texts
  int64_t min_count = 1;       ///< of words; characters are all kept
  int64_t max_vocabulary = 0;  ///< the unknown word and the end included; 0: no limit
};

/// With an end token. @throws ConfigError where the texts have fewer pieces than are asked for.
TextCoder build_coder(const CoderOptions& options, const std::vector<std::string>& texts);

}  // namespace rondo
