// rondo check-gradients: backpropagation against the complex step, for a model file or for options.

#include "command_line.h"
#include "console.h"
#include "models/gradient_check.h"
#include "storage/classifier_file.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr double kTolerance = 1e-9;

struct CheckOptions {
  int64_t samples = 24;
  int64_t seed = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v("samples", samples, "elements of each parameter that are compared; 0: all", Range{0, 1e9});
    v("seed", seed, "of the elements, of dropout and of the made-up texts", Range{0, 9e15});
  }
};

// A small network to check where no model file is given.
ClassifierOptions small_network() {
  ClassifierOptions options;
  options.embedding = 6;
  options.recurrent.hidden = 5;
  return options;
}

// Made-up texts: an empty one, one of one word and some longer ones, labels in turn.
GradientCheckInput make_input(const ClassifierNetwork& network, int64_t vocabulary,
                              const CheckOptions& options, std::vector<int32_t>& ids) {
  const std::vector<int64_t> lengths = {7, 0, 1, 5};
  GradientCheckInput input{
      .packing = Packing(lengths), .samples = options.samples, .seed = static_cast<uint64_t>(options.seed)};
  const Stream stream(input.seed, {7});
  ids.resize(input.packing.num_rows());
  for (size_t r = 0; r < ids.size(); ++r)
    ids[r] = static_cast<int32_t>(stream.below(r, static_cast<uint64_t>(vocabulary)));
  input.ids = ids;
  for (int64_t n = 0; n < input.packing.sequences(); ++n)
    input.targets.push_back(static_cast<int32_t>(n % network.labels()));
  return input;
}

int check(const std::string& path, const ClassifierOptions& model_options, const CheckOptions& options) {
  std::unique_ptr<ClassifierNetwork> network;
  int64_t vocabulary = 11;
  if (!path.empty()) {
    ClassifierModel model = load_classifier(path);
    vocabulary = model.vocabulary.size();
    network = std::move(model.network);
  } else {
    network = std::make_unique<ClassifierNetwork>(model_options, vocabulary, 3);
    network->initialize(Stream(static_cast<uint64_t>(options.seed)));
  }
  std::vector<int32_t> ids;
  const auto report = check_gradients(*network, make_input(*network, vocabulary, options, ids));
  double worst = 0;
  put("{:<34} {:>8} {:>12} {:>10}\n", "parameter", "checked", "largest", "error");
  for (const GradientCheck& row : report) {
    put("{:<34} {:>8} {:>12.3e} {:>10.1e}\n", row.parameter, row.checked, row.largest, row.error);
    worst = std::max(worst, row.error);
  }
  put("{}: largest error {:.1e}, allowed {:.0e}\n", worst <= kTolerance ? "passed" : "FAILED", worst,
      kTolerance);
  return worst <= kTolerance ? 0 : 1;
}

}  // namespace

Run add_check_gradients(CLI::App& app) {
  CLI::App* check_app = app.add_subcommand("check-gradients", "backpropagation against exact derivatives");
  check_app->footer(
      "Examples:\n"
      "  rondo check-gradients --cell gru --reset before --layers 2 --bidirectional\n"
      "  rondo check-gradients news.rondo --samples 4");
  auto path = std::make_shared<std::string>();
  auto model = std::make_shared<ClassifierOptions>(small_network());
  auto options = std::make_shared<CheckOptions>();
  check_app->add_option("model", *path,
                        "model file of a classifier; without it a small network is made from the options");
  auto line = std::make_shared<CommandLine>(*check_app);
  line->add("Check", *options);
  line->add("Model", *model);
  return [=] {
    line->apply();
    return check(*path, *model, *options);
  };
}

}  // namespace rondo::app
