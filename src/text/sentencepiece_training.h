// Trains a SentencePiece model on texts, in this process and memory.
//   std::string model = train_sentencepiece(texts, {.vocabulary = 8000});
//   auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, model);
#pragma once

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"

namespace rondo {

enum class SubwordKind { kUnigram, kBpe };

template <>
inline constexpr auto kNames<SubwordKind> =
    std::array{std::pair{SubwordKind::kUnigram, "unigram"}, std::pair{SubwordKind::kBpe, "bpe"}};

struct SubwordOptions {
  static constexpr int64_t kFewest = 8;  ///< what commands ask for at least

  int64_t vocabulary = 8000;  ///< pieces, "<unk>" and "</s>" included
  SubwordKind kind = SubwordKind::kUnigram;
  double character_coverage = 0.9995;  ///< share of the characters that have pieces; rarer ones are unknown
  bool exact = false;  ///< no normalisation: line ends, runs of spaces and odd forms of letters come back
};

/// The bytes of a model whose piece 0 is "<unk>" and piece 1 is "</s>". The same texts and options give the
/// same model. Text is normalised as SentencePiece does by default (NFKC, runs of white space to one space)
/// unless `exact`.
/// Raises the level of SentencePiece's own messages, for the whole process, so that it prints none.
/// @throws ConfigError that says what to do: a vocabulary too large or too small for these texts, or texts
///   without a letter, digit or sign; DataError if a text is no UTF-8.
/// Source: Kudo 2018, "Subword regularization" (unigram); Sennrich, Haddow & Birch 2016 (bpe).
/// Cost: 2 s and 60 MB for a megabyte of English; of more than 256 MB a part spread over all texts is read.
std::string train_sentencepiece(const std::vector<std::string>& texts, const SubwordOptions& options);

}  // namespace rondo
