// rondo evaluate: accuracy, F1 and confusion on a labelled or tagged file; perplexity of a text; BLEU of
// translations and captions.

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "data/documents.h"
#include "data/encoded.h"
#include "data/wording.h"
#include "inference/predictor.h"
#include "measure_captioner.h"
#include "measure_translator.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "tagging.h"
#include "tensor/device.h"
#include "text_input.h"
#include "training/classifier_evaluation.h"
#include "training/language_model_evaluation.h"
#include "training/language_options.h"
#include "verbs.h"

namespace rondo {

enum class CarryChoice { kModel, kDocument, kAlways };

template <>
inline constexpr auto kNames<CarryChoice> =
    std::array{std::pair{CarryChoice::kModel, "model"}, std::pair{CarryChoice::kDocument, "document"},
               std::pair{CarryChoice::kAlways, "always"}};

}  // namespace rondo

namespace rondo::app {

namespace {

struct EvaluateOptions {
  bool json = false;
  bool confusion = false;
  int64_t parts = 1;
  CarryChoice carry = CarryChoice::kModel;
  DocumentOptions documents;
  ConllOptions conll;
  InferenceOptions inference;
  TranslatorMeasureOptions translator;  // no option here: a group of its own
  CaptionMeasureOptions captioner;      // likewise
  std::vector<std::string> chosen;      // no option: the names of those that were written

  template <class Visitor>
  void visit(Visitor& v) {
    v("json", json, "print one JSON object; the key accuracy is the figure");
    v("confusion", confusion, "print the confusion matrix even of more than 12 labels");
    v("parts", parts,
      "language model: parts at least that the text is read in side by side, each from a state of zeros; "
      "1 is exact",
      Range{1, 1e6});
    v("carry", carry,
      "language model: where the state goes on: within a document, always, or as the model was trained");
    documents.visit(v);
    conll.visit(v);
    inference.visit(v);
  }
};

constexpr size_t kSmallMatrix = 12;

// An option that means nothing to this model is a mistake, not silence.
void check_options(const EvaluateOptions& options, const ModelFile& file) {
  const std::vector<std::string> texts = {"parts", "carry", "documents"}, table = table_options();
  const std::vector<std::string> words = option_names<ConllOptions>();
  const std::vector<std::string> pairs = option_names<TranslatorMeasureOptions>();
  const std::vector<std::string> pictures = option_names<CaptionMeasureOptions>();
  const std::string kind = kind_in_words(file);
  if (file.kind == "captioner") {
    std::vector<std::string> others = pairs;
    std::erase_if(others, [](const std::string& name) {
      return name == "beam" || name == "alpha" || name == "min-length" || name == "batch" || name == "output";
    });
    return refuse_options_of_others(options.chosen, kind,
                                    {{"confusion"}, texts, words, label_options(), others});
  }
  refuse_options_of_others(options.chosen, kind, {pictures});
  if (file.kind == "classifier") return refuse_options_of_others(options.chosen, kind, {texts, words, pairs});
  if (file.kind == "language_model") {
    return refuse_options_of_others(options.chosen, kind, {{"confusion"}, words, pairs});
  }
  if (file.kind == "tagger") {
    return refuse_options_of_others(options.chosen, kind, {texts, {"format"}, table, pairs});
  }
  if (file.kind == "translator") {
    refuse_options_of_others(options.chosen, kind, {{"confusion"}, texts, words, label_options()});
  }
}

// What the training said of its text; metrics are for readers, and a file may have been edited.
template <class Enum>
Enum trained_with(const nlohmann::json& metrics, const char* key, Enum otherwise) {
  if (!metrics.is_object() || !metrics.contains(key) || !metrics.at(key).is_string()) return otherwise;
  for (const auto& [value, name] : kNames<Enum>) {
    if (metrics.at(key).get_ref<const std::string&>() == name) return value;
  }
  return otherwise;
}

int evaluate_text(const ModelFile& file, const std::string& path, const std::string& input,
                  const EvaluateOptions& options, Backend& backend) {
  const LanguageModel model = unpack_language_model(file, path);
  model.network->prepare(backend, precision_of(model.options().recurrent.precision, options.inference));
  DocumentOptions documents = options.documents;
  if (documents.documents == DocumentUnit::kAuto && !names_examples(input)) {
    documents.documents = trained_with(file.metrics, "documents", DocumentUnit::kAuto);
  }
  RawDocuments raw = read_documents(input, documents, *model.tokenizer);
  const bool carried = trained_with(file.metrics, "carry", Carry::kDocument) == Carry::kAlways;
  const bool always = options.carry == CarryChoice::kModel ? carried : options.carry == CarryChoice::kAlways;
  say("{}: {} {} ({}{})\n", input_name(input), raw.pieces.size(),
      raw.pieces.size() == 1 ? "document" : "documents", raw.format,
      always ? "; the state is carried through" : "");
  if (always) raw.pieces = join_pieces(raw.pieces);
  const TokenStream stream = number_documents(raw, cut_pieces(raw.pieces, options.parts), model.vocabulary);
  const LanguageEvaluation result = evaluate_language_model(*model.network, backend, stream);
  if (options.json) {
    put("{}\n", result.to_json().dump(2));
  } else {
    put_text(result.table());
  }
  return 0;
}

// One file, or several of an ensemble.
std::vector<std::string> files_of(const std::string& paths) {
  if (file_exists(paths)) return {paths};
  return split_list(paths, ",");
}

int evaluate(const std::string& models, const std::string& input, const EvaluateOptions& options,
             const RunOptions& run) {
  const std::vector<std::string> paths = files_of(models);
  const std::string& path = paths.front();
  const ModelFile file = read_model_file(path);
  check_options(options, file);
  if (paths.size() > 1 && file.kind != "translator") {
    throw_error<ConfigError>("{}: it holds a {}, and only translators are measured several at once", path,
                             kind_in_words(file));
  }
  const auto backend = open_device(run.device, run.threads);
  if (file.kind == "translator") {
    return measure_translator(file, paths, input, options.documents.read, options.translator,
                              options.inference, options.json, *backend);
  }
  if (file.kind == "captioner") {
    return measure_captioner(file, path, input, options.documents.read, options.captioner,
                             options.translator.translate, options.translator.output, options.inference,
                             options.json, *backend);
  }
  if (file.kind == "language_model") return evaluate_text(file, path, input, options, *backend);
  if (file.kind == "tagger") {
    return evaluate_tags(file, path, input,
                         {.tags = {.conll = options.conll},
                          .json = options.json,
                          .confusion = options.confusion,
                          .replace_invalid = options.documents.read.replace_invalid,
                          .inference = options.inference},
                         *backend);
  }
  ClassifierModel model = unpack_classifier(file, path);
  prepare(model, *backend, options.inference);
  const LabelledCorpus corpus = read_labelled(input, options.documents.read);
  const std::string name = input_name(input);
  say("{}: {} texts ({})\n", name, corpus.examples.size(), corpus.format);
  const std::vector<UnseenLabel> unseen = unseen_labels(corpus, model.labels);
  for (const UnseenLabel& label : unseen) {
    say("warning: {}:{}: the model has no label {}; its {} texts count as errors\n", name, label.first_line,
        label.name, label.examples);
  }
  if (!unseen.empty() && model.labels.multi() && options.documents.read.label_separator.empty()) {
    say("warning: in {} a text may have several labels; is --label-separator missing?\n", path);
  }
  const EncodedCorpus encoded =
      encode(corpus, *model.tokenizer, model.vocabulary, model.labels,
             {.max_length = model.options().max_length, .allow_unseen = true}, backend->threads());
  const Evaluation result = evaluate_classifier(model, *backend, encoded, corpus);
  if (options.json) {
    put("{}\n", result.to_json().dump(2));
    return 0;
  }
  put_text(result.table());
  if (!result.confusion.empty() && (options.confusion || result.confusion.size() <= kSmallMatrix)) {
    put("\n{}", result.confusion_table());
  }
  return 0;
}

}  // namespace

Run add_evaluate(CLI::App& app) {
  CLI::App* evaluate_app =
      app.add_subcommand("evaluate",
                         "accuracy and F1 on a labelled file; perplexity of a text; BLEU of translations and "
                         "captions");
  evaluate_app->footer(
      "Examples:\n"
      "  rondo evaluate news.rondo test.csv\n"
      "  rondo evaluate news.rondo test.csv --json\n"
      "  rondo evaluate poems.rondo other-poems.txt\n"
      "  rondo evaluate names.rondo test.conll\n"
      "  rondo evaluate en-de.rondo --source test.en --target test.de\n"
      "  rondo evaluate scenes.rondo scenes/test.jsonl --images scenes/images");
  auto path = std::make_shared<std::string>();
  auto input = std::make_shared<std::string>();
  auto options = std::make_shared<EvaluateOptions>();
  auto run = std::make_shared<RunOptions>();
  evaluate_app->add_option("model", *path, "model file; of translators several separated by commas")
      ->required();
  evaluate_app->add_option("input", *input,
                           "labelled file, a text for a language model, pairs for a translator, or captions; "
                           "- for standard input");
  auto line = std::make_shared<CommandLine>(*evaluate_app);
  line->add("Output and input", *options);
  line->add("Translators (and captioners: beam, alpha, min-length, batch, output)", options->translator);
  line->add("Captioners", options->captioner);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->chosen = line->chosen();
    if (input->empty() && options->translator.source.empty()) {
      throw_error<ConfigError>(
          "input is missing; give a file, or of a translator --source and --target; "
          "see rondo evaluate --help");
    }
    return evaluate(*path, *input, *options, *run);
  };
}

}  // namespace rondo::app
