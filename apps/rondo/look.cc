// rondo look: what models do with texts, gate by gate, as one page of figures or as JSON.

#include <unistd.h>

#include <filesystem>

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "data/text_lines.h"
#include "inspect/look_page.h"
#include "inspect/trace_json.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr size_t kMostLooks = 64;
constexpr size_t kMostTokens = 5000;  // of a page; there are canvases of 16384 pixels at most

struct LookOptions {
  std::string output = "model.html";
  bool json = false;
  int64_t units = 0;
  std::string gradient;
  int64_t step = -1;
  bool loss = false;
  bool no_gradient = false;
  int64_t k = 5;
  int64_t beam = 5;
  bool replace_invalid = false;
  InferenceOptions inference;
  std::vector<std::string> chosen;  // no option: the names of those that were written

  template <class Visitor>
  void visit(Visitor& v) {
    v("output", output, "page to write; one that is there is replaced");
    v("json", json, "write the numbers to standard output as JSON instead of a page");
    v("units", units,
      "most units of each layer, those that vary most along the text; 0: all that fit in 2 MB",
      Range{0, 1e9});
    v("gradient", gradient,
      "of what gradients are: a label, a tag, or a token that could come next; empty: the best, or the one "
      "that came");
    v("step", step,
      "the word whose tag, or the token whose log-probability, gradients are of, from 0; -1: the last, of a "
      "translator the whole translation",
      Range{-1, 1e9});
    v("loss", loss, "gradients are of the loss");
    v("no-gradient", no_gradient, "no gradients: quicker, and two figures less");
    v("best", k, "language model: tokens a step that could have come next", Range{1, 1000});
    v("beam", beam, "translator: hypotheses that are followed", Range{1, BeamOptions::kMostHypotheses});
    v("replace-invalid", replace_invalid, "replace bytes that are not UTF-8 instead of refusing them");
    inference.visit(v);
  }

  bool wrote(const std::string& name) const {
    return std::find(chosen.begin(), chosen.end(), name) != chosen.end();
  }
  bool asks_for_gradient() const { return wrote("gradient") || wrote("step") || loss; }

  /// @throws ConfigError for options that contradict each other.
  void check() const;
};

void LookOptions::check() const {
  if (json && wrote("output")) {
    throw_error<ConfigError>(
        "--output has no effect beside --json, which writes to standard output; leave one out");
  }
  if (no_gradient && asks_for_gradient()) {
    throw_error<ConfigError>(
        "--no-gradient has no effect beside --gradient, --step and --loss; leave one out");
  }
  if (loss && wrote("step")) throw_error<ConfigError>("--loss is of all steps; leave --step out");
}

// Words of the command line by what they are.
struct Words {
  std::vector<std::string> models;
  std::vector<std::string> texts;
  std::vector<std::string> files = {};  ///< that are read, models and texts
};

// A file that begins like a model, whatever its name is: eight bytes of length and an object.
bool holds_model(const std::string& path) {
  std::error_code longer_than_a_name;  // a text may be
  if (!std::filesystem::is_regular_file(path, longer_than_a_name)) return false;
  ByteReader reader(path);
  std::array<char, 9> begin{};
  return reader.read(begin) == begin.size() && begin.back() == '{' && begin[7] == 0;
}

void add_lines(const std::string& path, bool replace_invalid, std::vector<std::string>& texts) {
  TextLines lines(path, replace_invalid);
  while (auto line = lines.next()) texts.push_back(std::move(*line));
}

Words sorted(const std::vector<std::string>& words, bool replace_invalid) {
  Words sorted;
  for (const std::string& word : words) {
    if (word.ends_with(".rondo") || (word != "-" && holds_model(word))) {
      sorted.models.push_back(word);
      sorted.files.push_back(word);
    } else if (names_file(word, "look")) {
      add_lines(word, replace_invalid, sorted.texts);
      sorted.files.push_back(word);
    } else {
      sorted.texts.push_back(checked_text(word, replace_invalid));
    }
  }
  if (sorted.models.empty()) {
    throw_error<ConfigError>(
        "look: there is no model among {}; give a model file and a text: rondo look "
        "news.rondo \"some text\"",
        words.size() == 1 ? "the words: one is given" : "the words");
  }
  if (sorted.texts.empty())
    throw_error<ConfigError>("look: give a text behind the model, or - for lines of standard input");
  if (sorted.models.size() * sorted.texts.size() > kMostLooks) {
    throw_error<ConfigError>("look: {} models on {} texts; {} looks at most stand side by side",
                             sorted.models.size(), sorted.texts.size(), kMostLooks);
  }
  return sorted;
}

TraceOptions trace_options(const LookOptions& options) {
  TraceOptions trace{.alternatives = options.k, .search = {.beam = options.beam}};
  if (!options.no_gradient) {
    trace.gradient = GradientRequest{.loss = options.loss, .output = options.gradient, .step = options.step};
  }
  return trace;
}

// Where no gradient was asked for by name, a model that has none is looked at without.
TextTrace look_at(const Tracer& tracer, const std::string& path, const std::string& text,
                  const LookOptions& options) {
  TraceOptions trace = trace_options(options);
  if (!trace.gradient || options.asks_for_gradient()) return tracer.trace(text, trace);
  try {
    return tracer.trace(text, trace);
  } catch (const ConfigError& error) {
    say("{}: looked at without a gradient: {}\n", path, error.what());
    trace.gradient.reset();
    return tracer.trace(text, trace);
  }
}

std::vector<TextTrace> traces_of(const Words& words, const LookOptions& options, Backend& backend) {
  std::vector<Tracer> tracers;
  for (const std::string& path : words.models) tracers.emplace_back(path, backend, options.inference);
  std::vector<TextTrace> traces;  // all models on one text stand side by side
  for (const std::string& text : words.texts) {
    for (size_t i = 0; i < tracers.size(); ++i) {
      traces.push_back(look_at(tracers[i], words.models[i], text, options));
    }
  }
  return traces;
}

void check_lengths(const std::vector<TextTrace>& traces) {
  for (const TextTrace& trace : traces) {
    const size_t steps = std::max({trace.tokens.size(), trace.target_tokens.size(), trace.characters.size()});
    if (steps <= kMostTokens) continue;
    throw_error<DataError>("{}: a text of {} steps; a page shows {} at most: cut the text, or take --json",
                           trace.model, steps, kMostTokens);
  }
}

int look(const std::vector<std::string>& arguments, const LookOptions& options, const RunOptions& run) {
  options.check();
  const Words words = sorted(arguments, options.replace_invalid);
  if (!options.json) {
    check_not_overwritten(options.output, "output", words.files);
    AtomicFile{options.output};  // can the folder be written?
  }
  const auto backend = open_device(run.device, run.threads);
  const std::vector<TextTrace> traces = traces_of(words, options, *backend);
  if (options.json) {
    put_text(traces_json(traces, {.units = options.units}) + "\n");
    return 0;
  }
  check_lengths(traces);
  const LookPage page = look_page(traces, {.units = options.units});
  write_file(options.output, page.html);
  if (!page.left_out.empty()) say("note: {}\n", page.left_out);
  put("{}\n", options.output);
  return 0;
}

}  // namespace

Run add_look(CLI::App& app) {
  CLI::App* look_app =
      app.add_subcommand("look", "a page that shows gates, states and gradients along texts");
  look_app->footer(
      "Words that end in .rondo are models; the others are texts, files with a text a line, or - for the\n"
      "lines of standard input. Every model looks at every text. The page needs no network.\n"
      "Examples:\n"
      "  rondo look news.rondo \"Shares rose after the talks\" -o look.html\n"
      "  rondo look rnn.rondo lstm.rondo gru.rondo \"Shares rose\" \"The coach left\" -o cells.html\n"
      "  rondo look news.rondo \"Shares rose\" --gradient Sports -o sports.html\n"
      "  rondo look poems.rondo \"Shall I compare thee\" --json > numbers.json\n"
      "  cat texts.txt | rondo look news.rondo - -o texts.html");
  auto words = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<LookOptions>();
  auto run = std::make_shared<RunOptions>();
  look_app->add_option("words", *words, "model files, then texts")->required();
  auto line = std::make_shared<CommandLine>(*look_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->chosen = line->chosen();
    return look(*words, *options, *run);
  };
}

}  // namespace rondo::app
