// rondo info: what a model file holds, and the equations that it computes.

#include <cmath>

#include "command_line.h"
#include "console.h"
#include "inference/text_generator.h"
#include "layers/equations.h"
#include "progress.h"
#include "storage/captioner_file.h"
#include "storage/classifier_file.h"
#include "storage/dtypes.h"
#include "storage/language_model_file.h"
#include "storage/translator_file.h"
#include "tagging.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct InfoOptions {
  bool json = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("json", json, "print one JSON object: configuration, labels, metrics, tensors");
  }
};

nlohmann::ordered_json to_json(const ModelFile& file) {
  nlohmann::ordered_json json{
      {"kind", file.kind},     {"format_version", file.version},       {"config", file.config},
      {"labels", file.labels}, {"vocabulary", file.vocabulary.size()}, {"metrics", file.metrics}};
  if (!file.target_vocabulary.empty()) json["target_vocabulary"] = file.target_vocabulary.size();
  int64_t bytes = 0;
  for (const auto& [name, tensor] : file.tensors) {
    json["tensors"][name] = tensor.shape();
    json["types"][name] = dtype_name(tensor.type());
    bytes += tensor.bytes();
  }
  json["tensor_bytes"] = bytes;
  return json;
}

void print_tensors(const ModelFile& file) {
  put("\nweights in the file\n");
  int64_t numbers = 0, bytes = 0;
  for (const auto& [name, tensor] : file.tensors) {
    put("  {:<34} {:>16} {:>12} {:>4} {:>12} bytes\n", name, to_string(tensor.shape()), tensor.size(),
        dtype_name(tensor.type()), tensor.bytes());
    numbers += tensor.size();
    bytes += tensor.bytes();
  }
  put("  {:<34} {:>16} {:>12} {:>4} {:>12} bytes\n", "in all", "", numbers, "", bytes);
}

// "dev loss 2.4968 nats a token, perplexity 12.14, on the last 10 % of the tokens"
std::string language_figures(double metric, const nlohmann::json& metrics) {
  const double loss = -metric;
  const std::string figures =
      fmt::format("dev loss {:.4f} nats a token, perplexity {}", loss, perplexity_text(loss));
  const auto text = metrics.find("dev_text");
  if (text == metrics.end() || !text->is_string()) return figures;
  return figures + ", on " + text->get<std::string>();
}

std::string plain_figures(double metric, const nlohmann::json&) {
  return fmt::format("dev metric {:.4f}", metric);
}
std::string translator_figures(double bleu, const nlohmann::json&) {
  return fmt::format("dev BLEU {:.2f} (greedy)", bleu);
}

std::string captioner_figures(double bleu, const nlohmann::json&) {
  return fmt::format("dev BLEU-4 {:.2f} (greedy)", bleu);
}

// Metrics are for readers only, and a file may have been edited: what is not there is not printed.
void print_training(const nlohmann::json& metrics,
                    std::string (*figures)(double metric, const nlohmann::json& metrics)) {
  const nlohmann::json::json_pointer updates("/updates"), update("/best/update"), metric("/best/dev_metric");
  for (const auto& pointer : {updates, update, metric}) {
    if (!metrics.is_object() || !metrics.contains(pointer) || !metrics.at(pointer).is_number()) return;
  }
  const auto figure = metrics.at(metric).get<double>();
  put("\ntrained {} updates; best at update {} with {}\n", metrics.at(updates).get<int64_t>(),
      metrics.at(update).get<int64_t>(), figures(figure, metrics));
}

void describe(const TranslatorModel& model, const std::string& path) {
  const TranslatorOptions& o = model.options();
  const RecurrentOptions encoder = o.encoder();
  put("{}: translator, {} source and {} target tokens{}, {} numbers, runs in {}\n\n", path,
      model.source.vocabulary.size(), model.target.vocabulary.size(), o.joint ? " (the same)" : "",
      count_text(static_cast<double>(model.network->parameters().num_values())), name_of(o.precision));
  put("source -> {} -> embedding {} -> {} x {}{} {} -> bridge {}\n", name_of(o.tokenizer), o.embedding,
      encoder.layers, encoder.bidirectional ? "bidirectional " : "", name_of(o.cell), encoder.hidden,
      name_of(o.bridge));
  put("target -> embedding {} -> {} x {} {}, attention {}{} -> tanh {} -> {}softmax of {}\n\n", o.embedding,
      o.layers, name_of(o.cell), o.hidden, name_of(o.attention), o.input_feeding ? ", input feeding" : "",
      o.output(), o.tied ? "tied " : "", model.target.vocabulary.size());
  put("one step of the cell (x input, h state, * elementwise, s logistic)\n{}", equations(o.decoder()));
}

void describe(const CaptionerModel& model, const std::string& path) {
  const CaptionerOptions& o = model.options();
  put("{}: captioner, {} tokens, {} numbers, runs in {}\n\n", path, model.text.vocabulary.size(),
      count_text(static_cast<double>(model.network->parameters().num_values())), name_of(o.precision));
  if (o.given()) {
    put("regions of another network -> {} x {}", o.regions, o.region_size);
  } else {
    put("picture {}x{} {} -> {} blocks of 3x3 convolution, ReLU, 2x2 maximum -> {} x {}", o.image_size,
        o.image_size, o.grey ? "grey" : "in colours", o.blocks, o.num_regions(), o.region_columns());
  }
  put("{}\nwords -> {} -> embedding {} -> LSTM {}, {} attention -> tanh {} -> softmax of {}\n\n",
      o.places ? ", places added" : "", name_of(o.tokenizer), o.embedding, o.hidden, name_of(o.attention),
      o.embedding, model.text.vocabulary.size());
  const char* z = o.attention == CaptionAttention::kSoft ? "sum_i alpha_i a_i"
                  : o.attention == CaptionAttention::kHard
                      ? "a_s, s of the greatest alpha (drawn in training)"
                      : "mean_i a_i";
  put("one word (a_i regions, E y the word before, h state, * elementwise, s logistic)\n");
  put("  h and c of the first word = tanh(W_2 ReLU(W_1 mean_i a_i + b_1) + b_2), each with weights of its "
      "own\n");
  if (o.attends()) put("  alpha = softmax_i(v tanh(W_a a_i + W_h h + b))\n");
  put("  z = {}{}\n  x = [E y; z]\n{}  p = softmax(L_o tanh(E y + L [h'; z] + b) + b_o)\n",
      o.selector ? "s(w h + b) * " : "", z, equations(o.decoder()));
}

void describe(const LanguageModel& model, const std::string& path) {
  const LanguageModelOptions& o = model.options();
  const RecurrentOptions& r = o.recurrent;
  put("{}: language model, {} different tokens, {} numbers, runs in {}\n\n", path, model.vocabulary.size(),
      count_text(static_cast<double>(model.network->parameters().num_values())), name_of(r.precision));
  put("text -> {} -> {} -> {} x {} {} -> {}softmax of {}\n\n", name_of(o.tokenizer),
      o.one_hot() ? "one-hot" : fmt::format("embedding {}", o.embedding), r.layers, name_of(r.cell), r.hidden,
      o.tied               ? "tied "
      : o.adaptive.empty() ? ""
                           : "adaptive ",
      model.vocabulary.size());
  const std::vector<std::string>& tokens = model.vocabulary.tokens();
  put("tokens: {}\n\n", token_list(std::span(tokens).subspan(1), 60));  // the first is the unknown one
  put("one step of the cell (x input, h state, * elementwise, s logistic)\n{}", equations(r));
}

int info(const std::string& path, const InfoOptions& options) {
  const ModelFile file = read_model_file(path);
  if (options.json) {
    put("{}\n", to_json(file).dump(2));
    return 0;
  }
  if (file.kind == "language_model") {
    describe(unpack_language_model(file, path), path);
    print_tensors(file);
    print_training(file.metrics, language_figures);
    return 0;
  }
  if (file.kind == "translator") {
    describe(unpack_translator(file, path), path);
    print_tensors(file);
    print_training(file.metrics, translator_figures);
    return 0;
  }
  if (file.kind == "captioner") {
    describe(unpack_captioner(file, path), path);
    print_tensors(file);
    print_training(file.metrics, captioner_figures);
    return 0;
  }
  if (file.kind == "tagger") {
    describe_tagger(file, path);
    print_tensors(file);
    print_training(file.metrics, plain_figures);
    put("tags: {}\n", fmt::join(file.labels, ", "));
    return 0;
  }
  const ClassifierModel model = unpack_classifier(file, path);
  const ClassifierOptions& o = model.options();
  const RecurrentOptions& r = o.recurrent;
  put("{}: text classifier, {} labels{}, {} words, {} numbers, runs in {}\n\n", path, model.labels.size(),
      model.labels.multi() ? " (a text may have several)" : "", model.vocabulary.size(),
      count_text(static_cast<double>(model.network->parameters().num_values())), name_of(r.precision));
  put("text -> {} -> embedding {} -> {} x {}{} {}{} -> pool {} -> linear {}\n\n", name_of(o.tokenizer),
      o.embedding, r.layers, r.bidirectional ? "bidirectional " : "", name_of(r.cell), r.hidden,
      r.last_hidden > 0 ? fmt::format(" (the last {})", r.last_hidden) : "", name_of(o.pool),
      model.labels.size());
  put("one step of the cell (x input, h state, * elementwise, s logistic)\n{}", equations(r));
  print_tensors(file);
  print_training(file.metrics, plain_figures);
  put("labels: {}\n", fmt::join(model.labels.names(), ", "));
  return 0;
}

}  // namespace

Run add_info(CLI::App& app) {
  CLI::App* info_app = app.add_subcommand("info", "what a model file holds, and its equations");
  info_app->footer("Example:\n  rondo info news.rondo");
  auto path = std::make_shared<std::string>();
  auto options = std::make_shared<InfoOptions>();
  info_app->add_option("model", *path, "model file")->required();
  auto line = std::make_shared<CommandLine>(*info_app);
  line->add("Output", *options);
  return [=] {
    line->apply();
    return info(*path, *options);
  };
}

}  // namespace rondo::app
