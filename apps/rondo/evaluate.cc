// rondo evaluate: accuracy, F1 and confusion on a labelled file.

#include "command_line.h"
#include "console.h"
#include "data/encoded.h"
#include "inference/predictor.h"
#include "storage/classifier_file.h"
#include "tensor/device.h"
#include "training/classifier_evaluation.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct EvaluateOptions {
  bool json = false;
  bool confusion = false;
  ReadOptions read;
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    v("json", json, "print one JSON object; the key accuracy is the figure");
    v("confusion", confusion, "print the confusion matrix even of more than 12 labels");
    read.visit(v);
    inference.visit(v);
  }
};

constexpr size_t kSmallMatrix = 12;

int evaluate(const std::string& path, const std::string& input, const EvaluateOptions& options,
             const RunOptions& run) {
  ClassifierModel model = load_classifier(path);
  const auto backend = open_device(run.device, run.threads);
  prepare(model, *backend, options.inference);
  const LabelledCorpus corpus = read_labelled(input, options.read);
  const std::string name = input == "-" ? "standard input" : input;
  say("{}: {} texts ({})\n", name, corpus.examples.size(), corpus.format);
  const std::vector<UnseenLabel> unseen = unseen_labels(corpus, model.labels);
  for (const UnseenLabel& label : unseen) {
    say("warning: {}:{}: the model has no label {}; its {} texts count as errors\n", name, label.first_line,
        label.name, label.examples);
  }
  if (!unseen.empty() && model.labels.multi() && options.read.label_separator.empty()) {
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
  CLI::App* evaluate_app = app.add_subcommand("evaluate", "accuracy and F1 on a labelled file");
  evaluate_app->footer(
      "Examples:\n"
      "  rondo evaluate news.rondo test.csv\n"
      "  rondo evaluate news.rondo test.csv --json");
  auto path = std::make_shared<std::string>();
  auto input = std::make_shared<std::string>();
  auto options = std::make_shared<EvaluateOptions>();
  auto run = std::make_shared<RunOptions>();
  evaluate_app->add_option("model", *path, "model file")->required();
  evaluate_app->add_option("input", *input, "labelled file, or - for standard input")->required();
  auto line = std::make_shared<CommandLine>(*evaluate_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return evaluate(*path, *input, *options, *run);
  };
}

}  // namespace rondo::app
