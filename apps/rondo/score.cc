// rondo score: how probable texts are, by a language model.

#include <unistd.h>

#include "command_line.h"
#include "console.h"
#include "data/text_lines.h"
#include "inference/predictor.h"
#include "inference/text_generator.h"
#include "inference/text_scorer.h"
#include "storage/language_model_file.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr size_t kBlock = 1024;  // texts at once

struct ScoreCommand {
  ScoreOptions score;
  bool tokens = false;
  bool json = false;
  bool replace_invalid = false;
  InferenceOptions inference;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokens", tokens, "print a line a token: token in quotes, log-probability, rank");
    v("json", json, "print a JSON object a text");
    score.visit(v);
    v("replace-invalid", replace_invalid, "put U+FFFD in the place of bytes that are not UTF-8");
    inference.visit(v);
  }
};

std::string json_of(const std::string& text, const TextScore& score, const ScoreCommand& options) {
  nlohmann::ordered_json json{{"text", text},
                              {"log_probability", score.log_probability()},
                              {"tokens", score.tokens.size()},
                              {"perplexity", score.perplexity()}};
  if (options.tokens) {
    json["tokens"] = nlohmann::ordered_json::array();
    for (const TokenScore& token : score.tokens) {
      json["tokens"].push_back({{"token", token.token},
                                {"log_probability", shortest(token.log_probability)},
                                {"rank", token.rank}});
    }
  }
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string lines_of(const TextScore& score, const ScoreCommand& options) {
  if (!options.tokens) {
    return fmt::format("{:.6f}\t{}\t{:.6g}\n", score.log_probability(), score.tokens.size(),
                       score.perplexity());
  }
  std::string lines;
  for (const TokenScore& token : score.tokens) {
    lines += fmt::format("{}\t{:.6f}\t{}\n", quoted_token(token.token), token.log_probability, token.rank);
  }
  return lines + "\n";  // an empty line ends a text
}

void print(const TextScorer& scorer, const std::vector<std::string>& texts, const ScoreCommand& options) {
  const std::vector<TextScore> scores = scorer.score(texts, options.score);
  std::string out;
  for (size_t i = 0; i < texts.size(); ++i) {
    out += options.json ? json_of(texts[i], scores[i], options) : lines_of(scores[i], options);
  }
  put_text(out);
  flush_output();
}

int score(const std::string& path, const std::string& input, const ScoreCommand& options,
          const RunOptions& run) {
  const LanguageModel model = load_language_model(path);
  const auto backend = open_device(run.device, run.threads);
  const Precision precision = precision_of(model.options().recurrent.precision, options.inference);
  const TextScorer scorer(model, *backend, precision);
  const bool any_bytes = model.tokenizer->kind() == TokenizerKind::kBytes && !options.replace_invalid;
  if (!names_file(input, "score")) {
    print(scorer, {any_bytes ? input : checked_text(input, options.replace_invalid)}, options);
    return 0;
  }
  const bool typed = input == "-" && isatty(STDIN_FILENO) == 1;
  TextLines lines(input, any_bytes                 ? InvalidBytes::kKeep
                         : options.replace_invalid ? InvalidBytes::kReplace
                                                   : InvalidBytes::kRefuse);
  std::vector<std::string> texts;
  while (auto line = lines.next()) {
    texts.push_back(std::move(*line));
    if (texts.size() < (typed ? 1 : kBlock)) continue;
    print(scorer, texts, options);
    texts.clear();
  }
  print(scorer, texts, options);
  return 0;
}

}  // namespace

Run add_score(CLI::App& app) {
  CLI::App* score_app = app.add_subcommand("score", "log-probability of texts");
  score_app->footer(
      "Prints log-probability (natural logarithm), tokens and perplexity, separated by tabs.\n"
      "Without an input it reads standard input, a text a line; an empty line is an empty text.\n"
      "A text that begins with - stands behind --, after all options.\n"
      "Examples:\n"
      "  rondo score poems.rondo \"Shall I compare thee\" --tokens\n"
      "  rondo score poems.rondo lines.txt > scores.tsv");
  auto path = std::make_shared<std::string>();
  auto input = std::make_shared<std::string>("-");
  auto options = std::make_shared<ScoreCommand>();
  auto run = std::make_shared<RunOptions>();
  score_app->add_option("model", *path, "model file of a language model")->required();
  score_app->add_option("input", *input, "a text, a file with a text a line, or - for standard input");
  auto line = std::make_shared<CommandLine>(*score_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    options->score.ranks = options->tokens;
    return score(*path, *input, *options, *run);
  };
}

}  // namespace rondo::app
