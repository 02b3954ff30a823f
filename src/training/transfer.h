// Beginning from a language model instead of from random numbers: its shape, vocabulary and weights are taken
// over, and lower layers learn more slowly and later than upper ones.
//   LanguageModel base = load_language_model("news-lm.rondo");
//   inherit_shape(OptionList(task.model), OptionList(base_options), task.transfer);
//   Vocabulary words = grown(base.vocabulary, found);
//   take_parameters(base.network->parameters(), network.parameters());
// Source: Howard & Ruder 2018, "Universal language model fine-tuning for text classification".
#pragma once

#include <string>

#include "base/options.h"
#include "tensor/parameter.h"
#include "text/vocabulary.h"

namespace rondo {

struct TransferOptions {
  std::string from;
  double layer_rate = 1;
  int64_t unfreeze = 0;
  std::vector<std::string> chosen;  // no option: the names of those that the person wrote

  template <class Visitor>
  void visit(Visitor& v) {
    v("from", from,
      "language model to begin from: its tokens, shape and weights are taken over; tokens that it lacks are "
      "added");
    v("layer-rate", layer_rate,
      "each layer learns at this share of the rate of the one above (ULMFiT: 0.385), the embeddings last",
      Range{0.001, 1});
    v("unfreeze", unfreeze,
      "let one more layer learn every so many epochs, the top first; 0: all from the beginning",
      Range{0, 1e6});
  }

  /// @throws ConfigError for an option that has no effect without --from.
  void check() const;
};

/// Takes over what decides the shapes of weights: tokenizer, embedding, cell and so on, as far as both know
/// it.
/// @throws ConfigError if the person chose something else than `base` has.
void inherit_shape(const OptionList& own, const OptionList& base, const TransferOptions& options);

/// The vocabulary with the tokens that it lacks behind its own, in their order.
Vocabulary grown(const Vocabulary& base, const Vocabulary& found);

/// Copies each parameter that both have, by name. Rows that a grown vocabulary adds begin as the mean of the
/// others. @return how many parameters were taken.
int64_t take_parameters(const ParameterSet& from, ParameterSet& to);

/// Sets Parameter::rate for an epoch (from 0). The top layer and the output have depth 0, each layer below
/// one more, the embeddings most.
/// @param layers  recurrent ones.
void set_rates(ParameterSet& parameters, const TransferOptions& options, int64_t layers, int64_t epoch);

}  // namespace rondo
