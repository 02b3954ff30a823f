// What is wrong with texts before anything is trained on them: those that repeat, stand in the dev set too,
// are empty or far too long, and words that the training set lacks.
#pragma once

#include "inspect/examined.h"
#include "inspect/finding.h"

namespace rondo {

/// What a doctor compares. `dev` may be null.
struct ExaminedPair {
  const ExaminedCorpus& train;
  const ExaminedCorpus* dev;
  const ExaminedWords& words;
  ExaminedTask task;
};

/// Texts of dev that train has too: the same bytes, or the same words.
void check_overlap(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Texts that stand in one file several times.
void check_duplicates(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Equal texts with different labels, in one file or in both; of sentences, different tags.
void check_conflicts(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Texts without a word, and pairs with an empty side.
void check_empty(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Texts that are much longer than the others, and a dev set of other lengths than the training set.
void check_lengths(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Words of dev that train has less than `min_count` times, 1 or 2.
void check_unknown_words(const ExaminedPair& corpora, int64_t min_count, Diagnosis& diagnosis);
/// Pairs whose sides are equal, or of lengths that do not fit.
void check_pairs(const ExaminedPair& corpora, Diagnosis& diagnosis);
/// Sets too small for what is to be learnt or measured.
void check_sizes(const ExaminedPair& corpora, Diagnosis& diagnosis);

}  // namespace rondo
