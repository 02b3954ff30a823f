// Runs a language model over documents: the log-probability of every token, and figures made of them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "data/documents.h"
#include "models/language_model.h"

namespace rondo {

/// -log p of each token of the stream, in its order; each piece from a state of zeros, whole, however long.
/// The same bits for any batch and chunk: `max_rows` packed rows a pass bound the memory alone.
std::vector<float> token_losses(const LanguageNetwork& network, Backend& backend, const TokenStream& stream,
                                int64_t max_rows = 4096);

struct LanguageEvaluation {
  int64_t tokens = 0;      ///< the ends of documents included
  int64_t unknown = 0;     ///< of them, tokens that the vocabulary lacks
  int64_t characters = 0;  ///< of the text, code points
  int64_t pieces = 0;      ///< read from a state of zeros each
  double nats = 0;         ///< of all tokens together

  double loss() const { return nats / static_cast<double>(tokens); }  ///< nats a token
  double perplexity() const;                                          ///< exp(loss)
  double bits_per_character() const;                                  ///< nats / (ln 2 * characters)
  nlohmann::ordered_json to_json() const;
  /// For a person.
  std::string table() const;
};

/// The losses are summed in double, token by token.
LanguageEvaluation evaluate_language_model(const LanguageNetwork& network, Backend& backend,
                                           const TokenStream& stream, int64_t max_rows = 4096);

}  // namespace rondo
