// rondo translate: a sentence for a sentence.

#include <unistd.h>

#include <span>
#include <utility>

#include "base/options.h"
#include "command_line.h"
#include "console.h"
#include "data/text_lines.h"
#include "data/wording.h"
#include "inference/text_translator.h"
#include "tensor/device.h"
#include "text_input.h"
#include "verbs.h"

namespace rondo::app {

namespace {

constexpr size_t kBlock = 1024;  // lines at once: batches are made of those of like length

struct TranslateCommand {
  TranslateOptions translate;
  bool alignments = false;
  bool json = false;
  bool attention = false;
  bool unbuffered = false;
  bool replace_invalid = false;
  InferenceOptions inference;
  std::string name;  // no option: of the file that is read, empty for a text that was typed

  template <class Visitor>
  void visit(Visitor& v) {
    translate.visit(v);
    v("alignments", alignments,
      "print behind each translation a tab and i-j pairs: source and target token, from 0");
    v("json", json, "print a JSON object a sentence: texts, scores, tokens, alignments");
    v("attention", attention, "the same with the attention of each target token to each source token");
    v("unbuffered", unbuffered, "answer each line at once, for a program at the other end of a pipe");
    v("replace-invalid", replace_invalid, "put U+FFFD in the place of bytes that are not UTF-8");
    inference.visit(v);
  }
};

std::string pairs_text(const Translation& translation) {
  std::string text;
  for (const auto& [source, target] : translation.alignment) {
    text += fmt::format("{}{}-{}", text.empty() ? "" : " ", source, target);
  }
  return text;
}

nlohmann::ordered_json attention_of(const Translation& translation) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  const size_t width = translation.source_tokens.size();
  for (size_t at = 0; width > 0 && at + width <= translation.attention.size(); at += width) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (size_t s = 0; s < width; ++s) row.push_back(shortest(translation.attention[at + s]));
    rows.push_back(std::move(row));
  }
  return rows;
}

nlohmann::ordered_json to_json(const Translation& translation, const TranslateCommand& options) {
  nlohmann::ordered_json json{{"text", translation.text},
                              {"score", translation.score},
                              {"log_probability", translation.log_probability}};
  if (!translation.ended) json["ended"] = false;
  if (!options.translate.alignment) return json;
  json["tokens"] = translation.target_tokens;
  json["alignment"] = pairs_text(translation);
  if (options.attention) json["attention"] = attention_of(translation);
  return json;
}

std::string json_line(const std::string& text, int64_t line, const std::vector<Translation>& best,
                      const TranslateCommand& options) {
  nlohmann::ordered_json json{{"line", line}, {"source", text}};
  if (options.translate.alignment) json["source_tokens"] = best.front().source_tokens;
  json["translations"] = nlohmann::ordered_json::array();
  for (const Translation& translation : best) json["translations"].push_back(to_json(translation, options));
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string plain_lines(int64_t line, const std::vector<Translation>& best, const TranslateCommand& options) {
  std::string lines;
  for (const Translation& translation : best) {
    // Of several translations of many sentences: which line, how good, what.
    if (options.translate.search.n_best > 1) lines += fmt::format("{}\t{:.6f}\t", line, translation.score);
    lines += one_line(translation.text);
    if (options.alignments) lines += "\t" + pairs_text(translation);
    lines += '\n';
  }
  return lines;
}

void print(const TextTranslator& translator, std::span<const std::string> texts, int64_t first_line,
           const TranslateCommand& options) {
  const auto place = [&](size_t i) {
    return options.name.empty() ? "the text"
                                : fmt::format("{}:{}", options.name, first_line + static_cast<int64_t>(i));
  };
  const auto found = translator.translate(texts, options.translate, place);
  for (size_t i = 0; i < texts.size(); ++i) {
    const int64_t line = first_line + static_cast<int64_t>(i);
    put_text(options.json ? json_line(texts[i], line, found[i], options)
                          : plain_lines(line, found[i], options));
  }
  flush_output();
}

// A text that is refused costs none of those before it.
void print_until_refused(const TextTranslator& translator, std::span<const std::string> texts,
                         int64_t first_line, const TranslateCommand& options) {
  try {
    print(translator, texts, first_line, options);
  } catch (const DataError&) {
    for (size_t i = 0; i < texts.size(); ++i) {
      print(translator, texts.subspan(i, 1), first_line + static_cast<int64_t>(i), options);
    }
  }
}

void translate_lines(const TextTranslator& translator, const std::string& input,
                     const TranslateCommand& options) {
  const bool at_once = options.unbuffered || (input == "-" && isatty(STDIN_FILENO) == 1);
  TextLines lines(input, options.replace_invalid);
  std::vector<std::string> texts;
  int64_t first_line = 1;
  const auto flush = [&] {
    const std::vector<std::string> block = std::exchange(texts, {});
    const int64_t first = std::exchange(first_line, first_line + static_cast<int64_t>(block.size()));
    print_until_refused(translator, block, first, options);
  };
  try {
    while (auto line = lines.next()) {
      texts.push_back(std::move(*line));
      if (texts.size() >= (at_once ? 1 : kBlock)) flush();
    }
  } catch (const DataError&) {
    flush();
    throw;
  }
  flush();
}

int translate(const std::string& paths, const std::string& input, TranslateCommand options,
              const RunOptions& run) {
  options.translate.search.check();
  options.json = options.json || options.attention;
  if (options.json && options.alignments) {
    throw_error<ConfigError>(
        "--alignments has no effect beside --json and --attention, which have them; leave one of them out");
  }
  const std::vector<std::string> files = split_list(paths, ",");
  if (files.size() == 1 && options.translate.ensemble != EnsembleMean::kProbabilities) {
    throw_error<ConfigError>("--ensemble has no effect on one model; give several, separated by commas");
  }
  const auto backend = open_device(run.device, run.threads);
  const TextTranslator translator(files, *backend, options.inference);
  options.translate.alignment =
      options.alignments || options.attention || (options.json && translator.attends());
  if (names_file(input, "translate")) {
    options.name = input_name(input);
    translate_lines(translator, input, options);
  } else {
    const std::string text[] = {checked_text(input, options.replace_invalid)};
    print(translator, text, 1, options);
  }
  return 0;
}

}  // namespace

Run add_translate(CLI::App& app) {
  CLI::App* translate_app = app.add_subcommand("translate", "sentences in another language");
  translate_app->footer(
      "Without an input it reads standard input, a sentence a line; an empty line stays empty.\n"
      "Several models, separated by commas, translate as one. With --n-best 2 or more a line holds the\n"
      "number of the input line, the score and the translation, separated by tabs.\n"
      "A sentence that begins with - stands behind --, after all options.\n"
      "Examples:\n"
      "  rondo translate en-de.rondo \"A dog runs on the beach.\"\n"
      "  rondo translate en-de.rondo test.en > out.de\n"
      "  rondo translate a.rondo,b.rondo test.en --beam 10 --alpha 1 --n-best 3\n"
      "  rondo translate en-de.rondo \"Two men talk.\" --attention");
  auto paths = std::make_shared<std::string>();
  auto input = std::make_shared<std::string>("-");
  auto options = std::make_shared<TranslateCommand>();
  auto run = std::make_shared<RunOptions>();
  translate_app->add_option("model", *paths, "model file of a translator, or several separated by commas")
      ->required();
  translate_app->add_option("input", *input,
                            "a sentence, a file with a sentence a line, or - for standard input");
  auto line = std::make_shared<CommandLine>(*translate_app);
  line->add("Translation and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return translate(*paths, *input, *options, *run);
  };
}

}  // namespace rondo::app
