// rondo bench: how fast a model file answers on this machine.

#include <optional>

#include "base/memory.h"
#include "command_line.h"
#include "console.h"
#include "data/labelled.h"
#include "inference/predictor.h"
#include "model_timing.h"
#include "progress.h"
#include "storage/classifier_file.h"
#include "tensor/device.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr int64_t kMostTexts = 2048;

struct BenchOptions {
  double seconds = 5;
  bool json = false;
  ReadOptions read;
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    v("seconds", seconds, "time to measure, in all", Range{0.1, 600});
    v("json", json, "print one JSON object");
    read.visit(v);
    inference.visit(v);
  }
};

std::vector<std::string> read_some(const std::string& input, const ReadOptions& options) {
  ExampleReader reader(input, options, ExampleReader::Labels::kOptional);
  std::vector<std::string> texts;
  while (auto example = reader.next()) {
    texts.push_back(std::move(example->text));
    if (static_cast<int64_t>(texts.size()) == kMostTexts) break;
  }
  if (texts.empty()) throw_error<DataError>("{}: no texts to measure with", input);
  return texts;
}

nlohmann::ordered_json to_json(const ModelTiming& timing) {
  return {{"threads", timing.threads},
          {"latency_ms", {{"median", timing.median_ms}, {"p99", timing.p99_ms}}},
          {"texts_per_second", timing.texts_per_second},
          {"tokens_per_second", timing.tokens_per_second},
          {"gflops", timing.rate / 1e9},
          {"peak_gflops", timing.peak / 1e9},
          {"share_of_peak", timing.rate / timing.peak}};
}

void print(const std::vector<ModelTiming>& timings) {
  put("{:>7}  {:>16}  {:>9}  {:>9}  {:>10}  {:>8}  {:>7}\n", "threads", "one text, median", "p99", "texts/s",
      "tokens/s", "GF/s", "of peak");
  for (const ModelTiming& t : timings) {
    put("{:>7}  {:>13.3f} ms  {:>6.3f} ms  {:>9}  {:>10}  {:>8.1f}  {:>5.0f} %\n", t.threads, t.median_ms,
        t.p99_ms, count_text(t.texts_per_second), count_text(t.tokens_per_second), t.rate / 1e9,
        100 * t.rate / t.peak);
  }
}

int bench(const std::string& path, const std::optional<std::string>& input, const BenchOptions& options,
          const RunOptions& run) {
  ClassifierModel model = load_classifier(path);
  const std::vector<std::string> texts =
      input ? read_some(*input, options.read) : made_up_texts(model, kMostTexts);
  const int all = open_device(run.device, run.threads)->threads().threads();
  std::vector<ModelTiming> timings;
  std::optional<double> stream_us;
  for (const int threads : {1, all}) {
    if (!timings.empty() && threads == 1) break;
    const auto backend = open_device(run.device, threads);
    prepare(model, *backend, options.inference);
    timings.push_back(time_model(model, *backend, texts, options.seconds / (all > 1 ? 2 : 1)));
    if (timings.size() > 1) continue;
    stream_us =
        time_stream(model, *backend, precision_of(model.options().recurrent.precision, options.inference),
                    texts, options.seconds / 10);
  }
  const double megabytes = static_cast<double>(peak_resident_bytes()) / 1e6;
  if (options.json) {
    nlohmann::ordered_json json{{"model", path},
                                {"texts", texts.size()},
                                {"made_up", !input.has_value()},
                                {"peak_memory_mb", megabytes},
                                {"runs", nlohmann::ordered_json::array()}};
    for (const ModelTiming& timing : timings) json["runs"].push_back(to_json(timing));
    if (stream_us) json["stream_us_per_token"] = *stream_us;
    put("{}\n", json.dump());
    return 0;
  }
  put("{}: {} texts{}\n\n", path, texts.size(), input ? "" : " made up of 8 to 72 of its words");
  print(timings);
  if (stream_us) put("\na stream reads a token in {:.2f} us, on one thread\n", *stream_us);
  put("\npeak memory {:.0f} MB; the peak is that of a float32 product of 96x512x512 on the same threads\n",
      megabytes);
  return 0;
}

}  // namespace

Run add_bench(CLI::App& app) {
  CLI::App* bench_app = app.add_subcommand("bench", "how fast a model file answers on this machine");
  bench_app->footer(
      "Examples:\n"
      "  rondo bench news.rondo\n"
      "  rondo bench news.rondo texts.txt --seconds 20 --json");
  auto path = std::make_shared<std::string>();
  auto input = std::make_shared<std::optional<std::string>>();
  auto options = std::make_shared<BenchOptions>();
  auto run = std::make_shared<RunOptions>();
  bench_app->add_option("model", *path, "model file of a classifier")->required();
  bench_app->add_option("input", *input,
                        "a file of texts, or - for standard input; without it texts are made up of the "
                        "model's words");
  auto line = std::make_shared<CommandLine>(*bench_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return bench(*path, *input, *options, *run);
  };
}

}  // namespace rondo::app
