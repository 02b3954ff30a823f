// How much a network computes, and how much this machine can: what rates are judged by.
//   const Arithmetic cost = arithmetic_of(options, labels);
//   double share = cost.forward(tokens, texts) / seconds / measured_peak(backend);
#pragma once

#include "kernels/backend.h"
#include "models/classifier_options.h"
#include "models/tagger_options.h"

namespace rondo {

/// Floating-point operations of a network's multiplications (a multiply-add is two): embedding lookups,
/// activations, pooling and dropout are not counted, so a rate is a little below what the machine did. A
/// kernel that saves some of them (repeated words) shows as a higher rate.
struct Arithmetic {
  double per_token = 0;      ///< forward
  double per_text = 0;       ///< forward
  double per_character = 0;  ///< forward, of each different word of a batch
  double to_input = 0;       ///< of per_token: what the backward pass saves where the embeddings are frozen

  double forward(int64_t tokens, int64_t texts, int64_t characters = 0) const {
    return per_token * static_cast<double>(tokens) + per_text * static_cast<double>(texts) +
           per_character * static_cast<double>(characters);
  }
  /// Forward and backward: the gradient by the input and the one by the weights cost as much as the forward
  /// pass, each.
  double training(int64_t tokens, int64_t texts, bool frozen, int64_t characters = 0) const {
    return 3 * forward(tokens, texts, characters) - (frozen ? to_input * static_cast<double>(tokens) : 0);
  }
};

/// LSTM: 2 * 4H * (D + H) a token, layer and direction, and so on by CellKind::blocks().
Arithmetic arithmetic_of(const ClassifierOptions& options, int64_t labels);
/// A CRF multiplies too: 2*K^2 a token. A convolution of characters does not count, for it multiplies each
/// different character once.
Arithmetic arithmetic_of(const TaggerOptions& options, int64_t labels);

/// Operations a second of a 96x512 by 512x512 product on the backend's threads, the best of many tries in
/// about 50 ms: the multiplication that nothing else of a network outruns.
double measured_peak(Backend& backend);

}  // namespace rondo
