// How many edits turn one sequence of words into another, where moving a block of words counts one.
//   translation_edits(words_of("b c a"), words_of("a b c")) is 1, words as numbers
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace rondo {

/// Edits (insertion, deletion, substitution, shift of up to 10 words over up to 50 places) from `hypothesis`
/// to `reference`, words given by number: shifts are chosen greedily, the distance is searched in a beam
/// around the diagonal, and after 1000 shifts were tried no more is taken. An empty reference costs a
/// deletion a word. Source: Snover et al. 2006, with the limits and preferences of Tercom as sacrebleu has
/// them. Cost: at most about 1000 passes of 50 (H + R) steps; memory 50 H + R.
int64_t translation_edits(std::span<const int32_t> hypothesis, std::span<const int32_t> reference);

}  // namespace rondo
