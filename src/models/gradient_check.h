// Exact gradient check of a whole network: backpropagation against the complex step, on the reference
// backend.
//   f'(x) = Im f(x + ih) / h, h = 1e-30: no difference is taken, so nothing cancels (Squire & Trapp 1998).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "models/classifier_network.h"

namespace rondo {

struct GradientCheck {
  std::string parameter;
  int64_t checked = 0;  ///< elements compared
  double largest = 0;   ///< largest |gradient| among them
  double error = 0;     ///< largest |backpropagated - complex step| / max(1, largest)
};

struct GradientCheckInput {
  std::span<const int32_t> ids;  ///< packed
  Packing packing;
  std::vector<int32_t> targets;  ///< label of each packed sequence
  int64_t samples = 64;          ///< elements of each parameter that are compared; 0: all
  uint64_t seed = 1;             ///< of the samples and of the dropout masks, which are on
};

/// One row a parameter. Cost: one pass in complex double a sampled element.
std::vector<GradientCheck> check_gradients(const ClassifierNetwork& network, const GradientCheckInput& input);

}  // namespace rondo
