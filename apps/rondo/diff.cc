// rondo diff: where two models differ, or one under two precisions or on two devices.

#include "command_line.h"
#include "console.h"
#include "inference/text_generator.h"
#include "inspect/difference.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct DiffOptions {
  double tolerance = 0;
  bool json = false;
  InferenceOptions inference;
  std::string precision_b;
  std::string device_b;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tolerance", tolerance, "differences up to this are none; 0: the bits must be the same",
      Range{0, 1e30});
    v("json", json, "print one JSON object");
    inference.visit(v);
    v("precision-b", precision_b, "--precision of the second model; left out: the same");
    v("device-b", device_b, "--device of the second model; left out: the same");
  }
};

/// One of both, as it is run.
struct Side {
  std::string path;
  ModelFile file;
  std::unique_ptr<Backend> backend;
  InferenceOptions inference;
  std::string device;

  Tracer tracer() const { return {file, path, *backend, inference}; }
};

Side open_side(const std::string& path, const std::string& device, int threads,
               const InferenceOptions& inference) {
  return {.path = path,
          .file = read_model_file(path),
          .backend = open_device(device, threads),
          .inference = inference,
          .device = device};
}

InferenceOptions second(const DiffOptions& options) {
  InferenceOptions inference = options.inference;
  if (!options.precision_b.empty()) OptionList(inference).find("precision").set_text(options.precision_b);
  return inference;
}

int run_diff(const std::string& a, const std::string& b, const std::vector<std::string>& texts,
             const DiffOptions& options, const RunOptions& run) {
  const Side first = open_side(a, run.device, run.threads, options.inference);
  const Side other =
      open_side(b, options.device_b.empty() ? run.device : options.device_b, run.threads, second(options));
  const std::vector<std::string> said = file_differences(first.file, other.file, options.tolerance);
  nlohmann::ordered_json json{{"files", said}, {"texts", nlohmann::ordered_json::array()}};
  std::string page = said.empty() ? "files: no difference\n" : "files\n";
  for (const std::string& sentence : said) page += "  " + sentence + "\n";
  bool same = said.empty();
  if (!texts.empty()) {
    const Tracer tracer_a = first.tracer(), tracer_b = other.tracer();
    for (const std::string& text : texts) {
      const std::string checked = checked_text(text, false);
      const TraceOptions wanted{.alternatives = 0, .max_prefixes = 0};
      const TextTrace trace_a = tracer_a.trace(checked, wanted), trace_b = tracer_b.trace(checked, wanted);
      const TraceDifference found = trace_difference(trace_a, trace_b, options.tolerance);
      same = same && found.same();
      page += fmt::format("{}: {} on {}, {} on {}\n", quoted_token(text), trace_a.precision, first.device,
                          trace_b.precision, other.device);
      page += difference_text(found, options.tolerance);
      json["texts"].push_back(difference_json(found));
      json["texts"].back()["text"] = text;
    }
  }
  json["same"] = same;
  put_text(options.json ? json.dump(2) + "\n" : page);
  return same ? 0 : 1;
}

}  // namespace

Run add_diff(CLI::App& app) {
  CLI::App* diff_app = app.add_subcommand("diff", "where two models differ: files, gates, states, outputs");
  diff_app->footer(
      "Exit status 0: no difference; 1: there is one.\n"
      "Examples:\n"
      "  rondo diff old.rondo new.rondo\n"
      "  rondo diff old.rondo new.rondo \"Shares rose after the talks\"\n"
      "  rondo diff news.rondo news.rondo \"Shares rose\" --precision-b bf16 --tolerance 0.01\n"
      "  rondo diff news.rondo news.rondo \"Shares rose\" --device-b reference --tolerance 1e-5");
  auto a = std::make_shared<std::string>();
  auto b = std::make_shared<std::string>();
  auto texts = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<DiffOptions>();
  auto run = std::make_shared<RunOptions>();
  diff_app->add_option("a", *a, "model file")->required();
  diff_app->add_option("b", *b, "model file, perhaps the same")->required();
  diff_app->add_option("text", *texts, "texts that both are compared on");
  auto line = std::make_shared<CommandLine>(*diff_app);
  line->add("Diff", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return run_diff(*a, *b, *texts, *options, *run);
  };
}

}  // namespace rondo::app
