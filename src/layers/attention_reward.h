// What hard attention learns from: the regions that it drew, and how well the sentence went.
//   Variable loss = attention_reward(look.weights, drawn, advantages, /*entropy=*/0.002);   // add to the
//   loss
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "tensor/tape.h"

namespace rondo {

/// loss = -sum over r of (advantages[r] * log weights[r, chosen[r]] + entropy * H(weights[r])) -> [1],
/// H(w) = -sum over i of w_i log w_i: the gradient of REINFORCE, with the entropy that keeps it looking
/// around. weights [R, L], rows that sum to one.  A logarithm is taken of 1e-30 at least.
/// @throws ShapeError unless there are R regions below L and R advantages.
/// Sources: Williams 1992; Xu et al. 2015, section 4.1.
Variable attention_reward(const Variable& weights, std::vector<int32_t> chosen,
                          std::vector<double> advantages, double entropy);

/// A region of each row by its weight.  @param stream  number r decides row r.
std::vector<int32_t> draw_regions(const Tensor& weights, const Stream& stream);
/// The region of the greatest weight of each row; of equal ones the first.
std::vector<int32_t> best_regions(const Tensor& weights);

}  // namespace rondo
