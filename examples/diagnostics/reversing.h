// Strings of digits, to be told backwards: what attention is for. The last digit read is the first one told,
// so the weights of a network that has learnt it stand on the anti-diagonal.
//   ReversingPoint last = run_reversing({.attention = AttentionKind::kBahdanau}, *open_device("cpu"),
//   tell).back();
#pragma once

#include <functional>
#include <vector>

#include "kernels/backend.h"
#include "models/translator_network.h"

namespace rondo::diagnostics {

struct ReversingOptions {
  AttentionKind attention = AttentionKind::kBahdanau;
  bool input_feeding = false;
  int64_t hidden = 64;
  int64_t shortest = 10, longest = 20;
  int64_t updates = 1000;
  int64_t batch = 50;
  double lr = 4e-3;
  int64_t evaluate_every = 250;
  int64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v("attention", attention, "where the decoder looks");
    v("input-feeding", input_feeding, "each step of the decoder also reads what the one before gave out");
    v("hidden", hidden, "units of encoder and decoder (GRU)", Range{2, 65536});
    v("shortest", shortest, "digits of the shortest strings", Range{1, 1000});
    v("longest", longest, "digits of the longest strings", Range{1, 1000});
    v("updates", updates, "updates by Adam, the rate by one-cycle", Range{2, 1e9});
    v("batch", batch, "strings an update", Range{1, 1e6});
    v("lr", lr, "learning rate", Range{0, 1e3});
    v("evaluate-every", evaluate_every, "updates between figures", Range{1, 1e9});
    v("seed", seed, "of weights and data", Range{0, 9e15});
  }
};

struct ReversingPoint {
  int64_t update = 0;
  double loss = 0;      ///< of the update, nats a token
  double exact = 0;     ///< share of the 500 test strings that greedy decoding tells without a fault
  double diagonal = 0;  ///< share of their digits that are told with the largest weight on their place
};

/// Digits i as ids i + 2; the unknown token is 0, the end 1. @return the curve.
std::vector<ReversingPoint> run_reversing(const ReversingOptions& options, Backend& backend,
                                          const std::function<void(const ReversingPoint&)>& tell);

}  // namespace rondo::diagnostics
