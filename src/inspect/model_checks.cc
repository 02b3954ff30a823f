#include "inspect/model_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/batches.h"
#include "inference/predictor.h"
#include "inference/sentence_tagger.h"
#include "models/gate_sample.h"
#include "models/tagger_batch.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/tagger_file.h"
#include "storage/translator_file.h"

namespace rondo {

namespace {

constexpr SampleSize kTrial{.texts = 200, .steps = 200};  // whose gates are looked into
constexpr int64_t kSideBySide = 20;                       // of them in one pass
constexpr int64_t kMostPredictions = 20'000;              // texts that are predicted

void check_unknown(int64_t unknown, int64_t all, const std::string& what, Diagnosis& diagnosis) {
  const double share = static_cast<double>(unknown) / static_cast<double>(std::max<int64_t>(1, all));
  diagnosis.measures.push_back({"tokens the model lacks", part_of(unknown, all, what)});
  if (share < 0.05) return;
  diagnosis.findings.push_back({share > 0.2 ? Severity::kWarning : Severity::kNote,
                                "unknown tokens",
                                part_of(unknown, all, what) + " are unknown to the model",
                                {},
                                "it reads them all as one word: train with subwords (--tokenizer "
                                "sentencepiece), with pretrained vectors "
                                "(--vectors), or with texts of the kind that it will read."});
}

// Gates over the sample, some texts at a time.
template <class Forward>
void add_gates(const EncodedCorpus& sample, Forward forward) {
  const std::vector<int32_t> all = all_examples(sample);
  for (size_t i = 0; i < all.size(); i += kSideBySide) {
    forward(std::span(all).subspan(i, std::min<size_t>(kSideBySide, all.size() - i)));
  }
}

ReadOptions lenient(ReadOptions options) {
  options.replace_invalid = true;
  return options;
}

// Every n-th text, so that there are kMostPredictions at most.
template <class Item>
std::vector<Item> some_of(std::vector<Item> items) {
  const auto stride = static_cast<size_t>((std::ssize(items) + kMostPredictions - 1) / kMostPredictions);
  if (stride <= 1) return items;
  std::vector<Item> kept;
  for (size_t i = 0; i < items.size(); i += stride) kept.push_back(std::move(items[i]));
  return kept;
}

Predictions predict(const ClassifierModel& model, Backend& backend, const LabelledCorpus& corpus,
                    const std::string& path) {
  Predictions result{
      .labels = model.labels.names(), .truth = {}, .predicted = {}, .probability = {}, .places = {}};
  std::vector<std::string> texts;
  for (const Example& example : corpus.examples) {
    const int32_t truth = example.labels.empty() ? LabelSet::kUnseen : model.labels.index(example.labels[0]);
    if (truth == LabelSet::kUnseen) continue;
    texts.push_back(example.text);
    result.truth.push_back(truth);
    result.places.push_back(fmt::format("{}:{}", path, example.line));
  }
  const Tensor probabilities = predict_texts(model, backend, texts);
  const auto labels = static_cast<size_t>(model.labels.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto row = probabilities.values<float>().subspan(i * labels, labels);
    const auto best = std::ranges::max_element(row);
    result.predicted.push_back(static_cast<int32_t>(best - row.begin()));
    result.probability.push_back(*best);
  }
  return result;
}

void check_classifier(const ModelFile& file, const std::string& path, const TrialTexts& texts,
                      Backend& backend, Diagnosis& diagnosis) {
  ClassifierModel model = unpack_classifier(file, path);
  LabelledCorpus corpus = read_labelled(texts.path, lenient(texts.format.read));
  corpus.examples = some_of(std::move(corpus.examples));
  const EncodedCorpus encoded =
      encode(corpus, *model.tokenizer, model.vocabulary, model.labels,
             {.max_length = model.options().max_length, .allow_unseen = true}, backend.threads());
  check_unknown(encoded.unknown, std::ssize(encoded.ids), "tokens of " + texts.path, diagnosis);
  GateStatistics gates;
  const EncodedCorpus sample = gate_sample(encoded, kTrial);
  add_gates(sample, [&](std::span<const int32_t> examples) {
    const Batch batch = make_batch(sample, examples);
    Tape tape(backend, {.tracing = true});
    gates.add(model.network->forward(tape, batch.ids, *batch.packing).traces, model.options().recurrent);
  });
  check_units(gates.directions(), diagnosis);
  if (!model.labels.multi())
    check_predictions(predict(model, backend, corpus, texts.path), "texts", diagnosis);
}

void check_language_model(const ModelFile& file, const std::string& path, const TrialTexts& texts,
                          Backend& backend, Diagnosis& diagnosis) {
  const LanguageModel model = unpack_language_model(file, path);
  DocumentOptions options{.read = lenient(texts.format.read)};
  const RawDocuments raw = read_documents(texts.path, options, *model.tokenizer);
  const TokenStream stream = number_documents(raw, raw.pieces, model.vocabulary);
  check_unknown(stream.unknown, stream.size(), "tokens of " + texts.path, diagnosis);
  GateStatistics gates;
  const EncodedCorpus sample = gate_sample(stream, kTrial);
  add_gates(sample, [&](std::span<const int32_t> examples) {
    const Batch batch = make_batch(sample, examples);
    Tape tape(backend, {.tracing = true});
    gates.add(model.network->forward(tape, batch.ids, *batch.packing).traces, model.options().recurrent);
  });
  check_units(gates.directions(), diagnosis);
}

Predictions predict(TaggerModel& model, Backend& backend, const std::vector<ConllSentence>& sentences,
                    const std::string& path) {
  const SentenceTagger tagger(model, backend, model.options().recurrent.precision);
  std::vector<std::vector<std::string>> words;
  for (const ConllSentence& sentence : sentences) words.push_back(sentence.tokens);
  const std::vector<TaggedSentence> tagged = tagger.tag(words, {.marginals = true});
  Predictions result{
      .labels = tagger.written(), .truth = {}, .predicted = {}, .probability = {}, .places = {}};
  const auto number = [&](const std::string& tag) {
    return static_cast<int32_t>(std::ranges::find(result.labels, tag) - result.labels.begin());
  };
  for (size_t s = 0; s < sentences.size(); ++s) {
    for (size_t t = 0; t < sentences[s].tags.size(); ++t) {
      const int32_t truth = number(sentences[s].tags[t]), predicted = number(tagged[s].paths[0].tags[t]);
      if (truth == std::ssize(result.labels)) continue;
      result.truth.push_back(truth);
      result.predicted.push_back(predicted);
      result.probability.push_back(tagged[s].marginals[t][static_cast<size_t>(predicted)]);
      result.places.push_back(fmt::format("{}:{}", path, sentences[s].line + static_cast<int64_t>(t)));
    }
  }
  return result;
}

void check_tagger(const ModelFile& file, const std::string& path, const TrialTexts& texts, Backend& backend,
                  Diagnosis& diagnosis) {
  TaggerModel model = unpack_tagger(file, path);
  ConllOptions options = texts.format.conll;
  options.replace_invalid = true;
  const std::vector<ConllSentence> sentences = some_of(ConllFile(texts.path, options).sentences());
  WordForms forms = model.forms();
  EncodedCorpus corpus;
  for (const ConllSentence& sentence : sentences) {
    for (const std::string& token : sentence.tokens) {
      const int32_t form = forms.add(token);
      corpus.unknown += forms.id(form) == Vocabulary::kUnknown;
      corpus.ids.push_back(form);
    }
    corpus.offsets.push_back(std::ssize(corpus.ids));
  }
  if (model.words.size() > 1)
    check_unknown(corpus.unknown, std::ssize(corpus.ids), "words of " + texts.path, diagnosis);
  GateStatistics gates;
  const EncodedCorpus sample = gate_sample(corpus, kTrial);
  add_gates(sample, [&](std::span<const int32_t> examples) {
    const TaggerBatch batch = make_tagger_batch(forms, sample, examples);
    Tape tape(backend, {.tracing = true});
    gates.add(model.network->forward(tape, batch.words, *batch.packing).traces, model.options().recurrent);
  });
  check_units(gates.directions(), diagnosis);
  check_predictions(predict(model, backend, sentences, texts.path), "words", diagnosis);
}

void check_translator(const ModelFile& file, const std::string& path, const TrialTexts& texts,
                      Backend& backend, Diagnosis& diagnosis) {
  const TranslatorModel model = unpack_translator(file, path);
  const ExaminedFormat& f = texts.format;
  const ParallelCorpus corpus = read_parallel({.source = texts.path,
                                               .target = texts.target,
                                               .read = {.format = f.read.format,
                                                        .source_column = f.source_column,
                                                        .target_column = f.target_column,
                                                        .header = f.read.header,
                                                        .quotes = f.read.quotes,
                                                        .replace_invalid = true}});
  std::vector<TokenPair> pairs;
  int64_t unknown = 0, all = 0;
  for (const SentencePair& pair : corpus.pairs) {
    pairs.push_back({model.encode_source(pair.source), model.encode_target(pair.target)});
    for (const std::vector<int32_t>* ids : {&pairs.back().source, &pairs.back().target}) {
      unknown += std::ranges::count(*ids, Vocabulary::kUnknown);
      all += std::ssize(*ids);
    }
  }
  check_unknown(unknown, all, "tokens of both sides", diagnosis);
  const std::vector<TokenPair> sample = gate_sample(pairs, kTrial);
  GateStatistics gates;
  for (size_t i = 0; i < sample.size(); i += kSideBySide) {
    std::vector<const TokenPair*> some;
    for (size_t n = i; n < std::min(sample.size(), i + kSideBySide); ++n) some.push_back(&sample[n]);
    Tape tape(backend, {.tracing = true});
    const TranslatorPass pass = model.network->forward(tape, make_translator_batch(some, model.target.end()));
    gates.add(pass.encoder, model.options().encoder(), "encoder");
    gates.add(pass.decoder, model.options().decoder(), "decoder");
  }
  check_units(gates.directions(), diagnosis);
}

}  // namespace

ExaminedTask task_of(const ModelFile& file) {
  if (file.kind == "classifier") return ExaminedTask::kClassify;
  if (file.kind == "tagger") return ExaminedTask::kTag;
  if (file.kind == "language_model") return ExaminedTask::kLm;
  return file.kind == "translator" ? ExaminedTask::kTranslate : ExaminedTask::kAuto;
}

void check_model(const ModelFile& file, const std::string& path, const TrialTexts& texts, Backend& backend,
                 Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("unknown tokens");
  switch (task_of(file)) {
    case ExaminedTask::kClassify:
      check_classifier(file, path, texts, backend, diagnosis);
      break;
    case ExaminedTask::kTag:
      check_tagger(file, path, texts, backend, diagnosis);
      break;
    case ExaminedTask::kLm:
      check_language_model(file, path, texts, backend, diagnosis);
      break;
    case ExaminedTask::kTranslate:
      check_translator(file, path, texts, backend, diagnosis);
      break;
    case ExaminedTask::kAuto:
      refuse_kind(file, path, "a classifier, a tagger, a language model or a translator");
  }
  check_training(file.metrics, diagnosis);
}

}  // namespace rondo
