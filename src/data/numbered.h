// A corpus whose texts become numbers of tokens while it is read, each text once: the texts are not kept.
//   NumberedCorpus corpus = number_file("news.csv", {}, *tokenizer, pool);
//   std::vector<bool> held_out = choose_dev(corpus.source, 0.1, seed);
//   Vocabulary vocabulary = build_vocabulary(corpus, held_out, {.min_count = 2}, TieOrder::kAscending);
//   auto [train, dev] = encode(std::move(corpus), held_out, vocabulary, labels, {});
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/profile.h"
#include "data/encoded.h"

namespace rondo {

/// Tokens by their numbers in a table that one thread at a time fills, in the order in which it met them.
/// Which table a text falls to is chance; what is made of all tables together is not.
class TokenTable {
 public:
  int32_t number(std::string_view token);
  std::string_view token(int32_t number) const {
    const auto i = static_cast<size_t>(number);
    return std::string_view(bytes_).substr(begins_[i], begins_[i + 1] - begins_[i]);
  }
  int32_t size() const { return static_cast<int32_t>(begins_.size()) - 1; }

 private:
  // A hash table with linear probing, half full at most. The hash stands beside the number: a look-up reads
  // one line of the table and the bytes of one token.
  struct Slot {
    uint32_t hash = 0;
    int32_t number = -1;  // empty
  };
  void grow();

  std::vector<Slot> slots_{Slot{}, Slot{}};
  std::string bytes_;              // of all tokens, one behind the other
  std::vector<size_t> begins_{0};  // of each in bytes_, and the end
};

struct NumberedCorpus {
  /// Tokens of examples that stand one after another.
  struct Chunk {
    std::vector<int32_t> tokens;   ///< numbers in the table
    std::vector<int32_t> lengths;  ///< of each example
    int32_t table = 0;
  };

  LabelledCorpus source;           ///< all but the texts: they are empty
  int64_t first_empty_line = 0;    ///< where the first text of source.empty_texts stood
  std::vector<TokenTable> tables;  ///< one a thread
  std::vector<Chunk> chunks;       ///< in the order of the examples
};

/// Reads and tokenises a labelled file on all threads. @throws as read_labelled().
/// Reading and tokenising take turns; `profile` tells them apart.
NumberedCorpus number_file(const std::string& path, const ReadOptions& options, const Tokenizer& tokenizer,
                           ThreadPool& pool, Profile* profile = nullptr);
/// The same of a corpus in memory; its texts are let go.
NumberedCorpus number_corpus(LabelledCorpus corpus, const Tokenizer& tokenizer, ThreadPool& pool);

struct VocabularyLimits {
  int64_t min_count = 1;  ///< rarer tokens are left out
  int64_t max_size = 0;   ///< the most frequent are kept; 0: no limit
  int64_t max_texts = 0;  ///< only so many texts from the start are counted; 0: all
};

/// Counts the tokens of the examples that are not held out (`held_out` empty: of all).
/// @throws DataError if no token is left.
Vocabulary build_vocabulary(const NumberedCorpus& corpus, const std::vector<bool>& held_out,
                            const VocabularyLimits& limits, TieOrder ties);

/// The examples that are not held out and those that are. Takes the corpus apart as it goes: its tokens never
/// stand in memory twice. `source` stays. @throws as encode() of a LabelledCorpus.
std::pair<EncodedCorpus, EncodedCorpus> encode(NumberedCorpus& corpus, const std::vector<bool>& held_out,
                                               const Vocabulary& vocabulary, const LabelSet& labels,
                                               const EncodeOptions& options);

}  // namespace rondo
