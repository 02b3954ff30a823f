#include "training/tagger_evaluation.h"

#include <algorithm>
#include <map>

#include "base/errors.h"
#include "data/wording.h"
#include "models/tagger_batch.h"

namespace rondo {

namespace {

// One batch after the other: labels chosen, and the loss of each sentence. Losses are summed when all are
// there, in the order of the corpus, so that no bit depends on the batches.
class TaggerPasses {
 public:
  TaggerPasses(const TaggerModel& model, Backend& backend, const WordForms& forms,
               const EncodedCorpus& corpus)
      : network_(*model.network), backend_(backend), forms_(forms), corpus_(corpus) {
    chosen_.resize(static_cast<size_t>(corpus.size()));
    losses_.resize(static_cast<size_t>(corpus.size()));
  }

  void run(std::span<const int32_t> examples) {
    std::vector<int32_t> measured;
    for (const int32_t example : examples) {
      if (has_loss(network_, corpus_.labels_of(example))) measured.push_back(example);
    }
    const TaggerBatch batch = make_tagger_batch(forms_, corpus_, examples);
    Tape tape(backend_);
    const Variable scores = network_.scores(tape, batch.words, *batch.packing);
    std::vector<CrfPath> paths = network_.decode(scores, *batch.packing);  // in the order of examples
    for (size_t i = 0; i < examples.size(); ++i) {
      chosen_[static_cast<size_t>(examples[i])] = std::move(paths[i].labels);
    }
    for (const int32_t example : measured) words_ += corpus_.length(example);
    if (measured.size() == examples.size()) {
      add_losses(scores, batch);
    } else if (!measured.empty()) {
      const TaggerBatch part = make_tagger_batch(forms_, corpus_, measured);
      const Variable again = network_.scores(tape, part.words, *part.packing);
      add_losses(again, part);
    }
  }

  const std::vector<std::vector<int32_t>>& chosen() const { return chosen_; }
  double loss() const {
    double sum = 0;
    for (const double loss : losses_) sum += loss;
    return words_ > 0 ? sum / static_cast<double>(words_) : 0;
  }

 private:
  void add_losses(const Variable& scores, const TaggerBatch& batch) {
    const Variable losses = network_.chain().loss(scores, packed_labels(corpus_, batch), *batch.packing);
    for (int64_t n = 0; n < losses.value().size(); ++n) {
      losses_[static_cast<size_t>(batch.examples[static_cast<size_t>(n)])] = losses.value().at(n);
    }
  }

  const TaggerNetwork& network_;
  Backend& backend_;
  const WordForms& forms_;
  const EncodedCorpus& corpus_;
  std::vector<std::vector<int32_t>> chosen_;
  std::vector<double> losses_;  ///< by sentence; 0 where there is none
  int64_t words_ = 0;
};

// Each tag for itself, by the names that are written.
Evaluation tag_figures(const TaggerModel& model, const TaggedCorpus& corpus,
                       const std::vector<std::vector<int32_t>>& chosen) {
  const std::vector<std::string> names = model.written_tags();
  std::map<std::string, int32_t> numbers;
  for (const std::string& name : names) numbers.emplace(name, static_cast<int32_t>(numbers.size()));
  Metrics metrics(names);
  for (size_t i = 0; i < corpus.sentences.size(); ++i) {
    const std::vector<std::string>& truth = corpus.sentences[i].tags;
    for (size_t t = 0; t < truth.size(); ++t) {
      const int32_t predicted = numbers.at(model.tag(chosen[i][t]));
      const auto known = numbers.find(truth[t]);
      if (known == numbers.end()) {
        metrics.add_unseen(truth[t], predicted);
      } else {
        metrics.add(known->second, predicted);
      }
    }
  }
  return metrics.evaluation();
}

}  // namespace

std::vector<int32_t> label_numbers(std::span<const std::string> tags, const TaggerOptions& options,
                                   const LabelSet& labels) {
  const bool converts = options.convert == TagConversion::kBioes;
  std::vector<int32_t> numbers;
  for (const std::string& tag : converts ? to_bioes(tags) : std::vector(tags.begin(), tags.end())) {
    numbers.push_back(labels.index(tag));
  }
  return numbers;
}

TaggedCorpus encode_tagged(std::vector<ConllSentence> sentences, const TaggerOptions& options,
                           const LabelSet& labels, WordForms& forms) {
  TaggedCorpus corpus{.sentences = std::move(sentences), .encoded = {}};
  EncodedCorpus& encoded = corpus.encoded;
  for (const ConllSentence& sentence : corpus.sentences) {
    for (const std::string& token : sentence.tokens) {
      encoded.ids.push_back(forms.add(token));
      encoded.unknown += forms.id(encoded.ids.back()) == Vocabulary::kUnknown ? 1 : 0;
    }
    for (const int32_t label : label_numbers(sentence.tags, options, labels)) encoded.labels.push_back(label);
    encoded.offsets.push_back(static_cast<int64_t>(encoded.ids.size()));
    encoded.label_offsets.push_back(static_cast<int64_t>(encoded.labels.size()));
    encoded.lines.push_back(sentence.line);
  }
  return corpus;
}

bool has_loss(const TaggerNetwork& network, std::span<const int32_t> labels) {
  const bool known = std::find(labels.begin(), labels.end(), LabelSet::kUnseen) == labels.end();
  return known && network.chain().constraints().first_break(labels) < 0;
}

nlohmann::json TaggerEvaluation::to_json() const {
  nlohmann::json json = spans ? spans->to_json() : tags.to_json();
  json["sentences"] = sentences;
  json["tokens"] = tags.examples;
  json["loss"] = loss;
  json.erase("examples");
  return json;
}

std::string TaggerEvaluation::table() const { return spans ? spans->table() : tags.table(); }

TaggerEvaluation evaluate_tagger(const TaggerModel& model, Backend& backend, const WordForms& forms,
                                 const TaggedCorpus& corpus, int64_t max_rows) {
  TaggerPasses passes(model, backend, forms, corpus.encoded);
  for (const auto& examples : batches_of_like_length(corpus.encoded.lengths(), max_rows))
    passes.run(examples);
  TaggerEvaluation result{.sentences = corpus.encoded.size(),
                          .loss = passes.loss(),
                          .tags = tag_figures(model, corpus, passes.chosen()),
                          .spans = {}};
  result.tags.loss = result.loss;
  if (!model.marks_spans()) return result;
  SpanMetrics spans;
  for (size_t i = 0; i < corpus.sentences.size(); ++i) {
    spans.add(corpus.sentences[i].tags, model.tags(passes.chosen()[i]));
  }
  result.spans = spans.evaluation();
  return result;
}

std::vector<std::string> tag_warnings(const TaggerNetwork& network, const TaggedCorpus& corpus,
                                      const std::string& name) {
  struct Unseen {
    int64_t line = 0, words = 0;
  };
  std::map<std::string, Unseen> unseen;
  int64_t breaks = 0, first = 0;
  for (int64_t i = 0; i < corpus.encoded.size(); ++i) {
    const ConllSentence& sentence = corpus.sentences[static_cast<size_t>(i)];
    const auto numbers = corpus.encoded.labels_of(i);
    for (size_t t = 0; t < numbers.size(); ++t) {
      if (numbers[t] != LabelSet::kUnseen) continue;
      Unseen& label = unseen[sentence.tags[t]];
      if (label.words++ == 0) label.line = sentence.line;
    }
    const bool known = std::find(numbers.begin(), numbers.end(), LabelSet::kUnseen) == numbers.end();
    if (known && !has_loss(network, numbers) && breaks++ == 0) first = sentence.line;
  }
  std::vector<std::string> warnings;
  for (const auto& [tag, what] : unseen) {
    warnings.push_back(fmt::format(
        "{}: tag {} does not occur in what the model learnt from; its {} words count as errors; the "
        "first is in the sentence of line {}",
        name, shorten(tag), what.words, what.line));
  }
  if (breaks > 0) {
    warnings.push_back(fmt::format(
        "{}:{}: the tags of {} sentences break the model's scheme; they have no loss", name, first, breaks));
  }
  return warnings;
}

}  // namespace rondo
