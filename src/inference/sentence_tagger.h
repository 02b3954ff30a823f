// Many sentences through a trained tagger: in batches of like length, answered in order.
//   SentenceTagger tagger(model, backend, Precision::kFloat32);
//   for (const TaggedSentence& sentence : tagger.tag(sentences, {})) sentence.paths[0].tags
#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/encoded.h"
#include "models/tagger_model.h"

namespace rondo {

/// What is asked for.
struct TagRequest {
  int64_t paths = 1;               ///< sequences of tags, the best first
  bool log_probabilities = false;  ///< of them; with more than one always
  bool marginals = false;
};

/// Tags of one sentence.
struct TagPath {
  std::vector<std::string> tags;
  double log_probability = 0;  ///< of the whole sequence, natural logarithm; 0 if it was not asked for
};

struct TaggedSentence {
  std::vector<TagPath> paths;  ///< fewer than asked for where there are fewer
  /// p(tag of word t = written[k]), where asked for: one row a word.
  std::vector<std::vector<float>> marginals;
};

/// Unchanging after construction.
class SentenceTagger {
 public:
  /// Packs the weights of `model`, which must outlive it, as the backend must.
  SentenceTagger(TaggerModel& model, Backend& backend, Precision precision);

  /// Result i is that of sentence i: the same bits in any company and with any number of threads. A sentence
  /// without words has one path without tags.
  /// @throws DataError if a word is not UTF-8; ConfigError unless 1 to 1000 paths are asked for.
  std::vector<TaggedSentence> tag(std::span<const std::vector<std::string>> sentences,
                                  const TagRequest& request) const;
  /// The tags that it may give, in the model's order.
  const std::vector<std::string>& written() const { return written_; }

 private:
  void tag_batch(const WordForms& forms, const EncodedCorpus& corpus, std::span<const int32_t> examples,
                 const TagRequest& request, std::vector<TaggedSentence>& results) const;
  std::vector<std::vector<float>> rows_of(const Tensor& marginals, const Packing& packing, int64_t n) const;

  const TaggerModel* model_;
  Backend* backend_;
  std::vector<std::string> written_;
  std::vector<int32_t> written_of_;  ///< by label: where its tag stands in written_
};

}  // namespace rondo
