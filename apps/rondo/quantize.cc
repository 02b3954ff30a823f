// rondo quantize: a finished model with int8 weights, a quarter of the size, if it stays good enough.

#include <filesystem>

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "data/documents.h"
#include "data/encoded.h"
#include "data/parallel_corpus.h"
#include "inference/predictor.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/quantized.h"
#include "storage/translator_file.h"
#include "tagging.h"
#include "tensor/device.h"
#include "text_input.h"
#include "training/classifier_evaluation.h"
#include "training/language_model_evaluation.h"
#include "training/translator_evaluation.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct QuantizeOptions {
  std::string output;
  std::string dev;
  std::string dev_target;
  std::string source_column, target_column;
  double max_drop = 0.005;
  bool force = false;
  DocumentOptions documents;
  ConllOptions conll;
  std::vector<std::string> chosen;  // no option: the names of those that were written

  template <class Visitor>
  void visit(Visitor& v) {
    v("output", output, "model file to write");
    v("dev", dev,
      "labelled file, a text for a language model, or pairs for a translator, that both models are measured "
      "on; not one that was trained on");
    v("dev-target", dev_target, "translator: translations of --dev line by line, where --dev holds sources");
    v("source-column", source_column,
      "translator: name or number of the source's column or JSON key, where --dev holds pairs");
    v("target-column", target_column, "translator: name or number of the target's column or JSON key");
    v("max-drop", max_drop,
      "most that the accuracy (micro F1 of several labels) may fall, or a language model's or translator's "
      "loss rise in nats a token",
      Range{0, 1});
    v("force", force, "write the output even if it exists");
    documents.visit(v);
    conll.visit(v);
  }
};

// An option that means nothing to this model is a mistake, not silence.
void check_options(const QuantizeOptions& options, const ModelFile& file) {
  const std::vector<std::string> texts = {"documents"}, table = table_options();
  const std::vector<std::string> pairs = {"dev-target", "source-column", "target-column"};
  const std::vector<std::string> words = option_names<ConllOptions>();
  const std::string kind = kind_in_words(file);
  if (file.kind == "classifier") return refuse_options_of_others(options.chosen, kind, {texts, words, pairs});
  if (file.kind == "language_model") return refuse_options_of_others(options.chosen, kind, {words, pairs});
  if (file.kind == "tagger") {
    return refuse_options_of_others(options.chosen, kind, {texts, {"format"}, table, pairs});
  }
  if (file.kind == "translator") {
    refuse_options_of_others(options.chosen, kind, {texts, words, label_options()});
  }
}

void check(const QuantizeOptions& options) {
  if (options.output.empty()) {
    throw_error<ConfigError>("--output is missing: the model file to write, such as small.rondo");
  }
  if (options.dev.empty()) {
    throw_error<ConfigError>(
        "--dev is missing: a labelled file, to see what the smaller weights cost; --max-drop says how much "
        "they may");
  }
  if (!options.force && file_exists(options.output)) {
    throw_error<ConfigError>("{} exists; overwrite it with --force", options.output);
  }
  AtomicFile{options.output};  // can the folder be written?
}

// A figure on the dev file, better when higher.
struct Measured {
  std::string name;
  double value = 0;
  double shown() const { return name == "loss" ? -value : value; }
};

Measured measure_classifier(const ModelFile& file, const std::string& path, const QuantizeOptions& options,
                            Backend& backend) {
  ClassifierModel model = unpack_classifier(file, path);
  const LabelledCorpus corpus = read_labelled(options.dev, options.documents.read);
  const EncodedCorpus encoded =
      encode(corpus, *model.tokenizer, model.vocabulary, model.labels,
             {.max_length = model.options().max_length, .allow_unseen = true}, backend.threads());
  if (encoded.size() == 0) throw_error<DataError>("{}: no texts to measure with", options.dev);
  prepare(model, backend);
  const Evaluation result = evaluate_classifier(model, backend, encoded, corpus);
  if (model.labels.multi()) return {"micro F1", result.micro_f1};
  return {"accuracy", result.accuracy};
}

// In parts, side by side: both models read the same ones.
Measured measure_text(const ModelFile& file, const std::string& path, const QuantizeOptions& options,
                      Backend& backend) {
  constexpr int64_t kParts = 16;
  const LanguageModel model = unpack_language_model(file, path);
  const RawDocuments raw = read_documents(options.dev, options.documents, *model.tokenizer);
  const TokenStream stream = number_documents(raw, cut_pieces(raw.pieces, kParts), model.vocabulary);
  model.network->prepare(backend, model.options().recurrent.precision);
  return {"loss", -evaluate_language_model(*model.network, backend, stream).loss()};
}

Measured measure_translation(const ModelFile& file, const std::string& path, const QuantizeOptions& options,
                             Backend& backend) {
  const TranslatorModel model = unpack_translator(file, path);
  const ReadOptions& read = options.documents.read;
  const ParallelCorpus corpus = read_parallel({.source = options.dev,
                                               .target = options.dev_target,
                                               .read = {.format = read.format,
                                                        .source_column = options.source_column,
                                                        .target_column = options.target_column,
                                                        .header = read.header,
                                                        .quotes = read.quotes,
                                                        .replace_invalid = read.replace_invalid}});
  std::vector<TokenPair> pairs;
  for (const SentencePair& pair : corpus.pairs) {
    pairs.push_back({.source = model.encode_source(pair.source), .target = model.encode_target(pair.target)});
  }
  model.network->prepare(backend, model.options().precision);
  return {"loss", -measure_loss(model, backend, pairs).loss()};
}

Measured measure(const ModelFile& file, const std::string& path, const QuantizeOptions& options,
                 Backend& backend) {
  if (file.kind == "translator") return measure_translation(file, path, options, backend);
  if (file.kind == "tagger") {
    const bool replaces = options.documents.read.replace_invalid;
    const auto [name, value] = measure_tagger(
        file, path, options.dev, {.tags = {.conll = options.conll}, .replace_invalid = replaces}, backend);
    return {name, value};
  }
  const bool language = file.kind == "language_model";
  return (language ? measure_text : measure_classifier)(file, path, options, backend);
}

void report(const std::string& path, const std::string& precision, const Measured& figure) {
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  put("{}: {}, {:.2f} MB, dev {} {:.4f}\n", path, precision, bytes / 1e6, figure.name, figure.shown());
}

int quantize(const std::string& path, const QuantizeOptions& options, const RunOptions& run) {
  const ModelFile file = read_model_file(path);
  if (file.kind == "captioner") {
    refuse_kind(file, path,
                "a classifier, a tagger, a language model or a translator, which run in int8, too,");
  }
  check(options);
  check_options(options, file);
  ModelFile small = rondo::quantize(file);
  const auto backend = open_device(run.device, run.threads);
  const Measured before = measure(file, path, options, *backend);
  const Measured after = measure(small, path, options, *backend);
  report(path, file.config.value("precision", "f32"), before);
  const double drop = before.value - after.value;
  if (!(drop <= options.max_drop)) {
    throw_error<Error>(
        "int8 weights cost {:.4f} (from {:.4f} to {:.4f}), --max-drop allows {:.4f}: nothing is written",
        drop, before.shown(), after.shown(), options.max_drop);
  }
  small.metrics["quantized"] = {{"dev_metric_before", before.value}, {"dev_metric", after.value}};
  write_model_file(options.output, small);
  report(options.output, "int8", after);
  return 0;
}

}  // namespace

Run add_quantize(CLI::App& app) {
  CLI::App* quantize_app = app.add_subcommand("quantize", "a model with int8 weights, a quarter of the size");
  quantize_app->footer(
      "Examples:\n"
      "  rondo quantize news.rondo -o small.rondo --dev test.csv\n"
      "  rondo quantize poems.rondo -o small.rondo --dev other-poems.txt --max-drop 0.01\n"
      "  rondo quantize en-de.rondo -o small.rondo --dev test.en --dev-target test.de");
  auto path = std::make_shared<std::string>();
  auto options = std::make_shared<QuantizeOptions>();
  auto run = std::make_shared<RunOptions>();
  quantize_app->add_option("model", *path, "model file")->required();
  auto line = std::make_shared<CommandLine>(*quantize_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->chosen = line->chosen();
    return quantize(*path, *options, *run);
  };
}

}  // namespace rondo::app
