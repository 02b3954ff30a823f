// What is wrong with the labels of texts, or the tags of words: rare ones, missing ones, words that give them
// away.
#pragma once

#include "inspect/corpus_checks.h"

namespace rondo {

/// Labels of few texts, one label alone, far more texts of one than of another; and labels that one of the
/// files lacks.
void check_labels(const ExaminedPair& corpora, Diagnosis& diagnosis);

/// Words that alone tell the label: kLeakShare of the texts that hold one have the label, and a good part of
/// its texts hold it.
void check_leaks(const ExaminedPair& corpora, Diagnosis& diagnosis);
inline constexpr double kLeakShare = 0.99;

/// Tags in an order that their scheme forbids (I-PER behind O).
void check_tag_order(const ExaminedPair& corpora, Diagnosis& diagnosis);

}  // namespace rondo
