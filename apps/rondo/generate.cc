// rondo generate: text that goes on from a prompt.

#include <unistd.h>

#include <charconv>
#include <optional>

#include "base/files.h"
#include "command_line.h"
#include "console.h"
#include "inference/predictor.h"
#include "inference/stop_strings.h"
#include "inference/text_generator.h"
#include "storage/language_model_file.h"
#include "tensor/device.h"
#include "text/unicode.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr int64_t kMostPrompt = int64_t{1} << 30;  // bytes

struct GenerateCommand {
  GenerateOptions generate;
  int64_t samples = 1;
  int64_t pick = 0;
  bool echo = true;
  bool json = false;
  bool unbuffered = false;
  bool seed_given = false;  // no option: whether --seed was written
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    generate.visit(v);
    v("samples", samples, "texts to write, each by random numbers of its own", Range{1, 1e9});
    v("pick", pick, "choose each token yourself among the k most probable; 0: the sampling chooses",
      Range{0, 1000});
    v("echo", echo, "write the prompt before what follows it");
    v("json", json, "print a JSON object a text");
    v("unbuffered", unbuffered, "write each piece at once, for a program at the other end of a pipe");
    inference.visit(v);
  }
};

void refuse(bool given, const char* name, const char* beside) {
  if (given) throw_error<ConfigError>("--{} has no effect beside --{}; leave one of them out", name, beside);
}

// Wrong values, and options that would be passed over in silence; before anything is written.
void check(const GenerateCommand& options) {
  const SamplingOptions& sampling = options.generate.sampling;
  sampling.check();
  StopStrings{options.generate.stop};
  if (options.pick > 0) {
    refuse(sampling.greedy, "greedy", "pick");
    refuse(options.samples > 1, "samples", "pick");
    refuse(options.json, "json", "pick");
    refuse(options.seed_given, "seed", "pick");
    refuse(!options.generate.stop.empty(), "stop", "pick");
    refuse(sampling.top_k > 0, "top-k", "pick");
    refuse(sampling.top_p < 1, "top-p", "pick");
    refuse(sampling.repetition_penalty != 1, "repetition-penalty", "pick");
    refuse(sampling.temperature != 1, "temperature", "pick");
    refuse(sampling.allow_unknown, "allow-unknown", "pick");
    refuse(options.generate.ignore_end, "ignore-end", "pick");
  }
  if (sampling.greedy) {
    refuse(options.samples > 1, "samples", "greedy");
    refuse(options.seed_given, "seed", "greedy");
  }
  refuse(options.json && !options.echo, "no-echo", "json");
}

void warn_of_unknown(const Prompt& prompt) {
  if (prompt.unknown.empty()) return;
  say("warning: the prompt holds {} token{} that the model has never seen: {}\n", prompt.unknown.size(),
      prompt.unknown.size() == 1 ? "" : "s", token_list(prompt.unknown, 10));
}

std::string json_of(const Prompt& prompt, const Generation& made, int64_t sample,
                    const LanguageModel& model) {
  nlohmann::ordered_json json{{"sample", sample}, {"prompt", prompt.text}, {"text", made.text}};
  json["tokens"] = nlohmann::ordered_json::array();
  for (const int32_t id : made.ids) json["tokens"].push_back(model.vocabulary.token(id));
  json["log_probability"] = made.log_probability;
  json["stopped"] = name_of(made.why);
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void write_sample(const TextGenerator& generator, const Prompt& prompt, const GenerateCommand& options,
                  int64_t sample) {
  const auto number = static_cast<uint64_t>(sample);
  if (options.json) {
    put("{}\n",
        json_of(prompt, generator.generate(prompt, options.generate, number), sample, generator.model()));
    return flush_output();
  }
  const bool at_once = options.unbuffered || isatty(STDOUT_FILENO) == 1;
  if (options.echo) put_text(replace_invalid_utf8(prompt.text));
  if (at_once) flush_output();
  generator.generate(prompt, options.generate, number, [&](std::string_view piece) {
    put_text(std::string(piece));
    if (at_once) flush_output();
    return true;
  });
  put_text("\n");
  flush_output();
}

/// What the person typed: a number from 1 to `count`, 0 for the end, or nothing for what is none of them.
std::optional<int> choice_of(const std::string& line, int count) {
  if (line.empty()) return 1;
  if (line == "q") return 0;
  int number = 0;
  const char* end = line.data() + line.size();
  if (std::from_chars(line.data(), end, number).ptr != end || number < 1 || number > count)
    return std::nullopt;
  return number;
}

/// The most probable tokens and the choice of one of them: its id, or nothing for the end.
std::optional<int32_t> ask(LineReader& answers, LanguageReader& reader, const LanguageModel& model,
                           int64_t k) {
  const std::vector<int32_t> best = likeliest(reader, static_cast<size_t>(k));
  const std::span<const float> probabilities = reader.probabilities();
  for (size_t i = 0; i < best.size(); ++i) {
    say("{:3}  {:.4f}  {}\n", i + 1, probabilities[static_cast<size_t>(best[i])],
        quoted_token(model.vocabulary.token(best[i])));
  }
  while (true) {
    say("number, Enter for 1, q to end: ");
    const std::optional<std::string> line = answers.next();
    if (!line) return std::nullopt;
    const std::optional<int> choice = choice_of(*line, static_cast<int>(best.size()));
    if (choice == 0) return std::nullopt;
    if (choice) return best[static_cast<size_t>(*choice) - 1];
    say("a number from 1 to {}, Enter or q, not {}\n", best.size(), quoted_token(*line));
  }
}

// The list on standard error, so that standard output is the text.
void pick_tokens(const TextGenerator& generator, const Prompt& prompt, const GenerateCommand& options) {
  const LanguageModel& model = generator.model();
  Continuation continuation(model, prompt);
  LineReader answers("-");
  if (options.echo) put_text(replace_invalid_utf8(prompt.text));
  for (int64_t step = 0; step < options.generate.length; ++step) {
    flush_output();
    const auto id = ask(answers, continuation.reader(), model, options.pick);
    if (!id || *id == model.end()) break;
    std::string text;
    continuation.take(*id, text);
    put_text(text);
  }
  std::string rest;
  continuation.finish(rest);
  put_text(rest + "\n");
}

// Standard input as it comes, its last line break with it: a prompt may end in one ("KING:\n").
std::string read_prompt(const std::string& given, const GenerateCommand& options) {
  if (given != "-") return given;
  if (options.pick > 0) {
    throw_error<ConfigError>("--pick reads the choices from standard input; give the prompt in the command");
  }
  return read_file("-", kMostPrompt);
}

int generate(const std::string& path, const std::string& given, const GenerateCommand& options,
             const RunOptions& run) {
  check(options);
  const LanguageModel model = load_language_model(path);
  const auto backend = open_device(run.device, run.threads);
  const Precision precision = precision_of(model.options().recurrent.precision, options.inference);
  const TextGenerator generator(model, *backend, precision);
  const Prompt prompt = generator.read(read_prompt(given, options));
  warn_of_unknown(prompt);
  if (options.pick > 0) {
    pick_tokens(generator, prompt, options);
    return 0;
  }
  for (int64_t sample = 0; sample < options.samples; ++sample) {
    if (sample > 0 && !options.json) put_text("----------\n");
    write_sample(generator, prompt, options, sample);
  }
  return 0;
}

}  // namespace

Run add_generate(CLI::App& app) {
  CLI::App* generate_app = app.add_subcommand("generate", "text that goes on from a prompt");
  generate_app->footer(
      "Without a prompt a new document begins; - reads one from standard input, its last line break "
      "included.\n"
      "A prompt that begins with - stands behind --, after all options.\n"
      "Examples:\n"
      "  rondo generate poems.rondo \"Shall I compare\" --temperature 0.8\n"
      "  rondo generate poems.rondo --samples 3 --seed 7 --stop $'\\n\\n'\n"
      "  rondo generate poems.rondo \"The \" --pick 5");
  auto path = std::make_shared<std::string>();
  auto prompt = std::make_shared<std::string>();
  auto options = std::make_shared<GenerateCommand>();
  auto run = std::make_shared<RunOptions>();
  generate_app->add_option("model", *path, "model file of a language model")->required();
  generate_app->add_option("prompt", *prompt,
                           "text to go on from, or - for standard input; none: a new document");
  auto line = std::make_shared<CommandLine>(*generate_app);
  line->add("Text", *options);
  generate_app
      ->add_option("--stop", options->generate.stop, "end before this string; may be given several times")
      ->allow_extra_args(false)
      ->type_name("TEXT")
      ->group("Text");
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->seed_given = line->given("seed");
    options->generate.log_probability = options->json;
    return generate(*path, *prompt, *options, *run);
  };
}

}  // namespace rondo::app
