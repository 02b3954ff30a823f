// How good translations are: BLEU, chrF and TER of a corpus, with sacrebleu's figures and signatures.
//   Bleu bleu;  bleu.add("the cat sat", references);  std::string line = bleu.score().line("0.1.0");
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "training/translation_tokenizers.h"

namespace rondo {

/// One figure of one corpus.
struct TranslationScore {
  std::string name;      ///< "BLEU", "chrF2", "chrF2++", "TER"
  double score = 0;      ///< in percent; of TER less is better, and it may exceed 100
  std::string details;   ///< what sacrebleu prints behind BLEU's figure; "" for the others
  std::string settings;  ///< the signature without its end: "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp"

  /// "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:0.1.0": sacrebleu's form, the version being that
  /// of the program that measured.
  std::string signature(std::string_view version) const;
  /// "BLEU|SIGNATURE = 34.56 DETAILS".
  std::string line(std::string_view version) const;
  /// {"name", "score", "signature", "verbose_score"?}, as sacrebleu's JSON but unrounded.
  nlohmann::json to_json(std::string_view version) const;
};

/// How many references the sentences had, for signatures: a number or "var".
class ReferenceCount {
 public:
  void add(size_t count);
  std::string text() const;

 private:
  size_t count_ = 0;
  bool varies_ = false;
};

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::k13a;
  bool lower_case = false;
};

/// Corpus BLEU: exp(mean over n = 1..4 of log p_n) * min(1, exp(1 - r/c)), p_n the clipped n-gram precision,
/// c the hypotheses' length, r the sum of the closest references' (of two as close the shorter). A precision
/// without a match becomes 1/(2^k total) for the k-th such n ("exp"); no match at all gives 0.
/// Source: Papineni et al. 2002; smoothing: NIST's mteval-v13a.
class Bleu {
 public:
  explicit Bleu(BleuOptions options = {}) : options_(options) {}

  /// One sentence and its references.
  /// @throws ConfigError without a reference, DataError if a text is no UTF-8; nothing is counted then.
  void add(std::string_view hypothesis, std::span<const std::string> references);
  TranslationScore score() const;

  static constexpr size_t kOrders = 4;
  /// The same over n = 1 .. orders alone: BLEU-1, BLEU-2, ...
  double up_to(size_t orders) const;

 private:
  std::string prepare(std::string_view text) const;
  double brevity() const;
  std::array<double, kOrders> precisions() const;

  BleuOptions options_;
  ReferenceCount references_;
  std::array<int64_t, kOrders> matches_{};
  std::array<int64_t, kOrders> totals_{};
  int64_t hypothesis_length_ = 0;
  int64_t reference_length_ = 0;
};

struct ChrfOptions {
  int word_order = 0;  ///< 2: chrF++
  bool lower_case = false;
};

/// chrF2: F-score of the mean precision and recall of character n-grams, n = 1..6, white space left out, and
/// of word n-grams, n = 1..word_order; recall counts four times as much. Of several references the one with
/// the best F counts. n-grams longer than either text are left out ("eff:yes").
/// Source: Popovic 2015; with words Popovic 2017.
class Chrf {
 public:
  /// @throws ConfigError for a word order below 0 or above 6.
  explicit Chrf(ChrfOptions options = {});

  /// As Bleu::add().
  void add(std::string_view hypothesis, std::span<const std::string> references);
  TranslationScore score() const;

  /// n-grams of one order.
  struct Counts {
    int64_t hypothesis = 0, reference = 0, matches = 0;
  };

 private:
  ChrfOptions options_;
  ReferenceCount references_;
  std::vector<Counts> counts_;
};

/// Translation edit rate: edits, a shift of words counting one, over the mean length of the references; of
/// several references the one with the fewest edits counts. Lower case, words between white space.
/// Source: Snover et al. 2006; the search is Tercom's, see translation_edit_rate.h.
class Ter {
 public:
  /// As Bleu::add().
  void add(std::string_view hypothesis, std::span<const std::string> references);
  TranslationScore score() const;

 private:
  ReferenceCount references_;
  int64_t edits_ = 0;
  double reference_length_ = 0;
};

}  // namespace rondo
