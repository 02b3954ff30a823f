// Runs a tagger over sentences whose tags are known: figures.
//   const TaggedCorpus corpus = encode_tagged(file.sentences(), model, forms);
//   const TaggerEvaluation figures = evaluate_tagger(model, backend, forms, corpus);
#pragma once

#include <optional>

#include "data/conll.h"
#include "data/encoded.h"
#include "models/tagger_model.h"
#include "training/metrics.h"
#include "training/spans.h"

namespace rondo {

/// Sentences as they were read, and as numbers: of word forms, and of the model's labels (or kUnseen).
struct TaggedCorpus {
  std::vector<ConllSentence> sentences;
  EncodedCorpus encoded;
};

/// The label's number of each tag, converted as the model's are; LabelSet::kUnseen for those it lacks.
std::vector<int32_t> label_numbers(std::span<const std::string> tags, const TaggerOptions& options,
                                   const LabelSet& labels);
/// @param forms  gets the words.
TaggedCorpus encode_tagged(std::vector<ConllSentence> sentences, const TaggerOptions& options,
                           const LabelSet& labels, WordForms& forms);

/// Whether the model can have a loss on a sentence: it has all labels, in an order that the scheme allows.
bool has_loss(const TaggerNetwork& network, std::span<const int32_t> labels);

struct TaggerEvaluation {
  int64_t sentences = 0;
  double loss = 0;                      ///< a word; of the sentences that the model can have a loss on
  Evaluation tags;                      ///< accuracy, and each tag against the rest
  std::optional<SpanEvaluation> spans;  ///< where the model's tags mark spans

  double f1() const { return spans ? spans->total.f1 : tags.macro_f1; }
  /// {"sentences", "tokens", "loss", "accuracy", "f1"?, ...}: of spans SpanEvaluation's keys, else
  /// Evaluation's.
  nlohmann::json to_json() const;
  /// Of spans the lines that conlleval prints, else a table of tags.
  std::string table() const;
};

/// The same bits for any batch size. Tags that the model lacks are errors.
TaggerEvaluation evaluate_tagger(const TaggerModel& model, Backend& backend, const WordForms& forms,
                                 const TaggedCorpus& corpus, int64_t max_rows = 4096);

/// What stands against a good figure: tags that the model lacks, or that break its scheme. @param name  of
/// the file.
std::vector<std::string> tag_warnings(const TaggerNetwork& network, const TaggedCorpus& corpus,
                                      const std::string& name);

}  // namespace rondo
