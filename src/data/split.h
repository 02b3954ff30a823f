// Sets part of a corpus aside for development, where the user has no such file.
//   auto [train, dev] = split_dev(read_labelled("news.csv"), 0.1, seed);
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "data/labelled.h"

namespace rondo {

/// Moves round(fraction * size) examples, one at least, to the second corpus: the same share of every
/// label (of every combination of labels) as far as it divides, but never the only example of one while
/// others have more. Both keep the order of the file. Depends on the corpus, `fraction` and `seed` only.
/// @throws ConfigError unless 0 < fraction < 1; DataError with fewer than two examples.
std::pair<LabelledCorpus, LabelledCorpus> split_dev(LabelledCorpus corpus, double fraction, uint64_t seed);

/// The same choice: whether each example goes. It looks at the labels alone.
std::vector<bool> choose_dev(const LabelledCorpus& corpus, double fraction, uint64_t seed);

}  // namespace rondo
