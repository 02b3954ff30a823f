// What a translator learns from: pairs of sentences read, cut into tokens, split and numbered.
//   TranslationCorpus corpus = read_translation_corpus(task);
//   corpus.train.size();  corpus.dev_description;   // "val.en and val.de"
#pragma once

#include <string>
#include <vector>

#include "models/translator_model.h"
#include "training/translation_options.h"

namespace rondo {

struct TranslationCorpus {
  TextCoder source, target;
  std::vector<TokenPair> train, dev;        ///< sources with their end
  std::vector<int64_t> lines;               ///< of the training pairs
  std::vector<std::string> dev_references;  ///< the targets' texts, whole
  std::string format, dev_description;      ///< what was detected, what was held out
  double unknown_share = 0;                 ///< of the dev tokens of both sides
  std::vector<std::string> warnings;
};

/// Reads the pairs, trains subwords or counts words, holds the dev pairs out.
/// @throws DataError, IoError, ConfigError as the files and options are.
TranslationCorpus read_translation_corpus(const TranslationTask& task);

/// Numbers of pairs, batch by batch: sentences of like target length together, ties, and the batches, in an
/// order by (seed, epoch). A batch has at most `tokens` target tokens, ends included (but one pair at least);
/// 0: `sentences` pairs. As many batches in every epoch.
struct TokenBatches {
  int64_t tokens = 2000;
  int64_t sentences = 32;
  uint64_t seed = 1;
};
std::vector<std::vector<int32_t>> plan_token_batches(const std::vector<TokenPair>& pairs,
                                                     const TokenBatches& options, int64_t epoch);

}  // namespace rondo
