// All figures of a set of translations at once, as `rondo evaluate` and `rondo bleu` print them.
//   TranslationScores scores = score_translations(hypotheses, references, {});
//   scores.lines("0.1.0");   // BLEU|nrefs:1|... = 34.56 ...
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "base/options.h"
#include "training/translation_metrics.h"

namespace rondo {

struct TranslationScoreOptions {
  BleuTokenizer tokenize = BleuTokenizer::k13a;
  bool lower_case = false;
  int64_t chrf_word_order = 0;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokenize", tokenize, "how BLEU parts words: sacrebleu's tokenizers of these names");
    v("lower-case", lower_case, "BLEU and chrF take upper and lower case for the same (TER always does)");
    v("chrf-word-order", chrf_word_order, "words that chrF counts beside characters; 2 is chrF++",
      Range{0, 6});
  }
};

struct TranslationScores {
  int64_t sentences = 0;
  TranslationScore bleu, chrf, ter;

  /// A line a figure. @param version  of the program, for the signatures.
  std::string lines(std::string_view version) const;
  /// {"sentences", "bleu", "chrf", "ter"}: each an object with score and signature.
  nlohmann::ordered_json to_json(std::string_view version) const;
};

/// @param references  of each hypothesis, one at least.
/// @throws DataError if there is no sentence, or a text is no UTF-8.
TranslationScores score_translations(std::span<const std::string> hypotheses,
                                     std::span<const std::vector<std::string>> references,
                                     const TranslationScoreOptions& options);

}  // namespace rondo
