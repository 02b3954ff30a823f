#include "training/translation_scores.h"

#include <cassert>

#include "base/errors.h"

namespace rondo {

std::string TranslationScores::lines(std::string_view version) const {
  return bleu.line(version) + "\n" + chrf.line(version) + "\n" + ter.line(version) + "\n";
}

nlohmann::ordered_json TranslationScores::to_json(std::string_view version) const {
  return {{"sentences", sentences},
          {"bleu", bleu.to_json(version)},
          {"chrf", chrf.to_json(version)},
          {"ter", ter.to_json(version)}};
}

TranslationScores score_translations(std::span<const std::string> hypotheses,
                                     std::span<const std::vector<std::string>> references,
                                     const TranslationScoreOptions& options) {
  assert(hypotheses.size() == references.size());
  if (hypotheses.empty()) throw_error<DataError>("there is no sentence to measure");
  Bleu bleu({.tokenizer = options.tokenize, .lower_case = options.lower_case});
  Chrf chrf({.word_order = static_cast<int>(options.chrf_word_order), .lower_case = options.lower_case});
  Ter ter;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    bleu.add(hypotheses[i], references[i]);
    chrf.add(hypotheses[i], references[i]);
    ter.add(hypotheses[i], references[i]);
  }
  return {.sentences = static_cast<int64_t>(hypotheses.size()),
          .bleu = bleu.score(),
          .chrf = chrf.score(),
          .ter = ter.score()};
}

}  // namespace rondo
