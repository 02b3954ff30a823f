// rondo predict: labels for a text, a file or standard input; of a tagger, a tag for every word.

#include <unistd.h>

#include <optional>

#include "command_line.h"
#include "console.h"
#include "data/labelled.h"
#include "inference/predictor.h"
#include "storage/classifier_file.h"
#include "tagging.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct PredictOptions {
  int64_t k = 0;
  bool probs = false;
  bool json = false;
  bool unbuffered = false;
  double threshold = 0.5;
  bool threshold_given = false;  // no option: whether --threshold was written
  ReadOptions read;
  TagOptions tags;
  InferenceOptions inference;
  std::vector<std::string> chosen;  // no option: the names of those that were written

  template <class Visitor>
  void visit(Visitor& v) {
    v("best", k,
      "labels a text, most probable first; 0: one, or all above the threshold where texts have several",
      Range{0, 1e9});
    v("probs", probs, "print probabilities too");
    v("json", json, "print a JSON object a text");
    v("unbuffered", unbuffered, "answer each line at once, for a program at the other end of a pipe");
    v("threshold", threshold, "probability above which one of several labels holds", Range{0, 1});
    read.visit(v);
    tags.visit(v);
    inference.visit(v);
  }
};

int predict_words(const ModelFile& file, const std::string& path, const std::string& input,
                  const PredictOptions& options, Backend& backend) {
  refuse_options_of_others(options.chosen, "tagger", {{"best", "probs", "threshold"}, table_options()});
  const TextFormat format = options.read.format;
  if (format != TextFormat::kAuto && format != TextFormat::kLines) {
    throw_error<ConfigError>("--format {}: a tagger reads a word a line (see --conll), or --format lines",
                             name_of(format));
  }
  const bool typed = input == "-" && isatty(STDIN_FILENO) == 1;
  return predict_tags(file, path, input,
                      {.tags = options.tags,
                       .json = options.json,
                       .lines = format == TextFormat::kLines,
                       .replace_invalid = options.read.replace_invalid,
                       .unbuffered = options.unbuffered || typed,
                       .inference = options.inference,
                       .chosen = options.chosen},
                      backend);
}

// Labels to print for a text.
std::vector<int32_t> chosen(std::span<const float> row, const PredictOptions& options, bool several) {
  if (options.k > 0 || !several) return largest(row, std::max<size_t>(1, static_cast<size_t>(options.k)));
  std::vector<int32_t> labels = largest(row, row.size());
  std::erase_if(labels, [&](int32_t label) { return row[label] <= options.threshold; });
  return labels;
}

std::string line_of(std::span<const float> row, const std::vector<int32_t>& labels, const LabelSet& names,
                    bool probs) {
  std::string line;
  for (const int32_t label : labels) {
    if (!line.empty()) line += '\t';
    line += names.name(label);
    if (probs) line += fmt::format("\t{:.4f}", row[label]);
  }
  return line;
}

std::string json_of(const std::string& text, std::span<const float> row, const std::vector<int32_t>& labels,
                    const LabelSet& names) {
  nlohmann::ordered_json json{{"text", text}, {"predictions", nlohmann::ordered_json::array()}};
  for (const int32_t label : labels) {
    json["predictions"].push_back({{"label", names.name(label)}, {"probability", shortest(row[label])}});
  }
  return json.dump();
}

void print(const ClassifierModel& model, Backend& backend, const std::vector<std::string>& texts,
           const PredictOptions& options) {
  if (texts.empty()) return;
  const Tensor probabilities = predict_texts(model, backend, texts);
  const auto labels = static_cast<size_t>(model.labels.size());
  std::string out;
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::span<const float> row(probabilities.data<float>() + i * labels, labels);
    const std::vector<int32_t> best = chosen(row, options, model.labels.multi());
    out += options.json ? json_of(texts[i], row, best, model.labels)
                        : line_of(row, best, model.labels, options.probs);
    out += '\n';
  }
  put_text(out);
  flush_output();
}

void check_threshold(const ClassifierModel& model, const PredictOptions& options) {
  if (!options.threshold_given) return;
  if (!model.labels.multi()) {
    throw_error<ConfigError>("--threshold has no effect: a text has one label in this model");
  }
  if (options.k > 0)
    throw_error<ConfigError>("--threshold has no effect beside --best; leave one of them out");
}

int predict(const std::string& path, const std::optional<std::string>& given, const PredictOptions& options,
            const RunOptions& run) {
  const ModelFile file = read_model_file(path);
  if (!given && isatty(STDIN_FILENO) == 1) {
    throw_error<ConfigError>("predict: give a text, a file or - for standard input after the model");
  }
  const std::string input = given.value_or("-");
  const auto backend = open_device(run.device, run.threads);
  if (file.kind == "tagger") return predict_words(file, path, input, options, *backend);
  if (file.kind != "classifier") refuse_kind(file, path, "a classifier or a tagger");
  ClassifierModel model = unpack_classifier(file, path);
  refuse_options_of_others(options.chosen, "classifier", {option_names<TagOptions>()});
  check_threshold(model, options);
  prepare(model, *backend, options.inference);
  if (!names_file(input, "predict")) {
    print(model, *backend, {checked_text(input, options.read.replace_invalid)}, options);
    return 0;
  }
  const bool at_once = options.unbuffered || (input == "-" && isatty(STDIN_FILENO) == 1);
  const size_t block = at_once ? 1 : 4096;
  ExampleReader reader(input, options.read, ExampleReader::Labels::kOptional);
  std::vector<std::string> texts;
  while (auto example = reader.next()) {
    texts.push_back(std::move(example->text));
    if (texts.size() < block) continue;
    print(model, *backend, texts, options);
    texts.clear();
  }
  print(model, *backend, texts, options);
  return 0;
}

}  // namespace

Run add_predict(CLI::App& app) {
  CLI::App* predict_app = app.add_subcommand("predict", "labels for texts, or a tag for every word of them");
  predict_app->footer(
      "A text that begins with - stands behind --, after all options.\n"
      "Examples:\n"
      "  rondo predict news.rondo \"Shares rose after the talks\" -k 3 --probs\n"
      "  rondo predict news.rondo texts.txt > labels.txt\n"
      "  cat texts.txt | rondo predict news.rondo - --json\n"
      "  rondo predict names.rondo test.conll > tagged.conll\n"
      "  rondo predict names.rondo \"Ada lives in London\" --n-best 3");
  auto path = std::make_shared<std::string>();
  auto input = std::make_shared<std::optional<std::string>>();
  auto options = std::make_shared<PredictOptions>();
  auto run = std::make_shared<RunOptions>();
  predict_app->add_option("model", *path, "model file")->required();
  predict_app->add_option("input", *input, "a text, a file of texts, or - for standard input");
  auto line = std::make_shared<CommandLine>(*predict_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->threshold_given = line->given("threshold");
    options->chosen = line->chosen();
    return predict(*path, *input, *options, *run);
  };
}

}  // namespace rondo::app
