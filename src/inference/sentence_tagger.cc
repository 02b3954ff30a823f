#include "inference/sentence_tagger.h"

#include <algorithm>

#include "base/errors.h"
#include "models/tagger_batch.h"

namespace rondo {

namespace {

// Words of a batch, and labels of their paths.
constexpr int64_t kMostRows = 8192, kMostLabels = int64_t{1} << 20;

EncodedCorpus encode_words(std::span<const std::vector<std::string>> sentences, WordForms& forms) {
  EncodedCorpus corpus;
  for (const std::vector<std::string>& sentence : sentences) {
    for (const std::string& word : sentence) corpus.ids.push_back(forms.add(word));
    corpus.offsets.push_back(static_cast<int64_t>(corpus.ids.size()));
  }
  return corpus;
}

}  // namespace

SentenceTagger::SentenceTagger(TaggerModel& model, Backend& backend, Precision precision)
    : model_(&model), backend_(&backend), written_(model.written_tags()) {
  model.network->prepare(backend, precision);
  for (int32_t k = 0; k < model.labels.size(); ++k) {
    const auto found = std::find(written_.begin(), written_.end(), model.tag(k));
    written_of_.push_back(static_cast<int32_t>(found - written_.begin()));
  }
}

std::vector<TaggedSentence> SentenceTagger::tag(std::span<const std::vector<std::string>> sentences,
                                                const TagRequest& request) const {
  if (request.paths < 1 || request.paths > Crf::kMaxPaths) {
    throw_error<ConfigError>("tagger: 1 to {} sequences can be asked for, got {}", Crf::kMaxPaths,
                             request.paths);
  }
  WordForms forms = model_->forms();
  const EncodedCorpus corpus = encode_words(sentences, forms);
  std::vector<TaggedSentence> results(sentences.size());
  const int64_t rows = std::min(kMostRows, kMostLabels / request.paths);
  for (std::vector<int32_t> examples : batches_of_like_length(corpus.lengths(), rows)) {
    std::erase_if(examples, [&](int32_t example) {
      if (corpus.length(example) > 0) return false;
      results[static_cast<size_t>(example)].paths.emplace_back();
      return true;
    });
    if (!examples.empty()) tag_batch(forms, corpus, examples, request, results);
  }
  return results;
}

void SentenceTagger::tag_batch(const WordForms& forms, const EncodedCorpus& corpus,
                               std::span<const int32_t> examples, const TagRequest& request,
                               std::vector<TaggedSentence>& results) const {
  const TaggerNetwork& network = *model_->network;
  const TaggerBatch batch = make_tagger_batch(forms, corpus, examples);
  const Packing& packing = *batch.packing;
  Tape tape(*backend_);
  const Variable scores = network.scores(tape, batch.words, packing);
  std::vector<std::vector<CrfPath>> paths(examples.size());  // in the order of examples
  if (request.paths > 1 || request.log_probabilities) {
    paths = network.chain().n_best(scores, packing, request.paths);
  } else {
    std::vector<CrfPath> best = network.decode(scores, packing);
    for (size_t i = 0; i < best.size(); ++i) paths[i].push_back(std::move(best[i]));
  }
  for (size_t i = 0; i < examples.size(); ++i) {
    TaggedSentence& result = results[static_cast<size_t>(examples[i])];
    for (const CrfPath& path : paths[i]) {
      result.paths.push_back({.tags = model_->tags(path.labels), .log_probability = path.log_probability});
    }
  }
  if (!request.marginals) return;
  const Tensor marginals = network.chain().marginals(scores, packing);
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const auto example = static_cast<size_t>(batch.examples[static_cast<size_t>(n)]);
    results[example].marginals = rows_of(marginals, packing, n);
  }
}

// Labels that are written alike are one.
std::vector<std::vector<float>> SentenceTagger::rows_of(const Tensor& marginals, const Packing& packing,
                                                        int64_t n) const {
  std::vector<std::vector<float>> rows;
  for (int64_t t = 0; t < packing.length(n); ++t) {
    const float* row = marginals.matrix().row<float>(packing.rows().row(t, n));
    std::vector<float>& sums = rows.emplace_back(written_.size(), 0.0F);
    for (size_t k = 0; k < written_of_.size(); ++k) sums[static_cast<size_t>(written_of_[k])] += row[k];
  }
  return rows;
}

}  // namespace rondo
