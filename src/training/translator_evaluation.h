// Runs a translator over the dev pairs: loss a token, and BLEU of greedy translations.
//   TranslatorEvaluation dev = evaluate_translator(model, backend, pairs, references);   // dev.bleu
#pragma once

#include <string>
#include <vector>

#include "kernels/backend.h"
#include "models/translator_model.h"

namespace rondo {

/// The most probable next token but the unknown one, step by step, until the end token or 2 * source + 10
/// tokens; without the end. Of equal ones the lower id. Results in the order of the sources, the same bits in
/// any batch.
/// @param sources  ids with their end.
std::vector<std::vector<int32_t>> translate_greedily(const TranslatorNetwork& network, Backend& backend,
                                                     std::span<const std::vector<int32_t>* const> sources,
                                                     int32_t target_end, int64_t batch = 64);

struct TranslatorEvaluation {
  int64_t pairs = 0;
  int64_t tokens = 0;  ///< of the targets, ends included
  double nats = 0;     ///< of all tokens together
  double bleu = 0;     ///< in percent, 13a, cased: greedy translations against the references

  double loss() const { return tokens > 0 ? nats / static_cast<double>(tokens) : 0; }
};

/// The loss alone: bleu stays 0.
TranslatorEvaluation measure_loss(const TranslatorModel& model, Backend& backend,
                                  const std::vector<TokenPair>& pairs);

TranslatorEvaluation evaluate_translator(const TranslatorModel& model, Backend& backend,
                                         const std::vector<TokenPair>& pairs,
                                         const std::vector<std::string>& references);

}  // namespace rondo
