// rondo quantize: a finished model with int8 weights, a quarter of the size, if it stays good enough.

#include <filesystem>

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "data/encoded.h"
#include "inference/predictor.h"
#include "storage/classifier_file.h"
#include "storage/quantized.h"
#include "tensor/device.h"
#include "training/classifier_evaluation.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct QuantizeOptions {
  std::string output;
  std::string dev;
  double max_drop = 0.005;
  bool force = false;
  ReadOptions read;

  template <class Visitor>
  void visit(Visitor& v) {
    v("output", output, "model file to write");
    v("dev", dev, "labelled file that both models are measured on; not one that was trained on");
    v("max-drop", max_drop, "most that the accuracy (micro F1 of several labels) may fall", Range{0, 1});
    v("force", force, "write the output even if it exists");
    read.visit(v);
  }
};

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

double metric(const LabelledCorpus& corpus, const QuantizeOptions& options, ClassifierModel& model,
              Backend& backend) {
  const EncodedCorpus encoded =
      encode(corpus, *model.tokenizer, model.vocabulary, model.labels,
             {.max_length = model.options().max_length, .allow_unseen = true}, backend.threads());
  if (encoded.size() == 0) throw_error<DataError>("{}: no texts to measure with", options.dev);
  prepare(model, backend);
  const Evaluation result = evaluate_classifier(model, backend, encoded, corpus);
  return model.labels.multi() ? result.micro_f1 : result.accuracy;
}

void report(const std::string& path, const ClassifierModel& model, double figure) {
  const auto bytes = static_cast<double>(std::filesystem::file_size(path));
  put("{}: {}, {:.2f} MB, dev {} {:.4f}\n", path, name_of(model.options().recurrent.precision), bytes / 1e6,
      model.labels.multi() ? "micro F1" : "accuracy", figure);
}

int quantize(const std::string& path, const QuantizeOptions& options, const RunOptions& run) {
  check(options);
  const ModelFile file = read_model_file(path);
  ModelFile small = rondo::quantize(file);
  ClassifierModel before = unpack_classifier(file, path);
  ClassifierModel after = unpack_classifier(small, path);
  const auto backend = open_device(run.device, run.threads);
  const LabelledCorpus corpus = read_labelled(options.dev, options.read);
  const double old_metric = metric(corpus, options, before, *backend);
  const double new_metric = metric(corpus, options, after, *backend);
  report(path, before, old_metric);
  const double drop = old_metric - new_metric;
  if (drop > options.max_drop) {
    throw_error<Error>(
        "int8 weights cost {:.4f} (from {:.4f} to {:.4f}), --max-drop allows {:.4f}: nothing is written",
        drop, old_metric, new_metric, options.max_drop);
  }
  small.metrics["quantized"] = {{"dev_metric_before", old_metric}, {"dev_metric", new_metric}};
  write_model_file(options.output, small);
  report(options.output, after, new_metric);
  return 0;
}

}  // namespace

Run add_quantize(CLI::App& app) {
  CLI::App* quantize_app = app.add_subcommand("quantize", "a model with int8 weights, a quarter of the size");
  quantize_app->footer(
      "Example:\n"
      "  rondo quantize news.rondo -o small.rondo --dev test.csv");
  auto path = std::make_shared<std::string>();
  auto options = std::make_shared<QuantizeOptions>();
  auto run = std::make_shared<RunOptions>();
  quantize_app->add_option("model", *path, "model file")->required();
  auto line = std::make_shared<CommandLine>(*quantize_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return quantize(*path, *options, *run);
  };
}

}  // namespace rondo::app
