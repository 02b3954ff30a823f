#include "tagging.h"

#include <algorithm>
#include <span>

#include "base/errors.h"
#include "base/files.h"
#include "base/options.h"
#include "command_line.h"
#include "console.h"
#include "data/text_lines.h"
#include "data/wording.h"
#include "inference/sentence_tagger.h"
#include "layers/equations.h"
#include "progress.h"
#include "storage/tagger_file.h"
#include "text_input.h"
#include "training/tagger_evaluation.h"

namespace rondo::app {

namespace {

constexpr size_t kBlock = 2048;                 // sentences at once
constexpr size_t kMostFound = size_t{1} << 20;  // tags and probabilities at once

using Words = std::vector<std::string>;

Words words_of(const std::string& line) {
  constexpr const char* kSpace = " \t\v\f\r";
  Words words;
  for (size_t begin = line.find_first_not_of(kSpace); begin != std::string::npos;) {
    const size_t end = std::min(line.find_first_of(kSpace, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kSpace, end);
  }
  return words;
}

TagRequest request_of(const TagCommand& command) {
  return {
      .paths = command.tags.n_best, .log_probabilities = command.json, .marginals = command.tags.marginals};
}

std::string dumped(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// Objects as a JSON array, one after the other: all of them at once would take many times the memory of
/// their text, and there may be a thousand of ten thousand tags.
template <class Items, class ToJson>
std::string array_of(const Items& items, ToJson to_json) {
  std::string text = "[";
  for (const auto& item : items) {
    if (text.size() > 1) text += ',';
    text += dumped(to_json(item));
  }
  return text + "]";
}

std::string json_of(const Words& words, const TaggedSentence& sentence, const TagCommand& command,
                    const std::vector<std::string>& written) {
  const auto path_of = [](const TagPath& path) {
    return nlohmann::ordered_json{{"tags", path.tags}, {"log_probability", path.log_probability}};
  };
  const auto row_of = [&](const std::vector<float>& row) {
    nlohmann::ordered_json word = nlohmann::ordered_json::object();
    for (size_t k = 0; k < row.size(); ++k) word[written[k]] = shortest(row[k]);
    return word;
  };
  const TagPath& best = sentence.paths.front();
  std::string text =
      dumped({{"tokens", words}, {"tags", best.tags}, {"log_probability", best.log_probability}});
  text.pop_back();  // its brace, for what follows
  if (command.tags.n_best > 1) text += ",\"n_best\":" + array_of(sentence.paths, path_of);
  if (command.tags.marginals) text += ",\"probabilities\":" + array_of(sentence.marginals, row_of);
  return text + "}\n";
}

// A word and its tag a line, a blank line behind each sentence.
std::string columns_of(const Words& words, const TaggedSentence& sentence) {
  std::string lines;
  for (size_t t = 0; t < words.size(); ++t) lines += words[t] + "\t" + sentence.paths.front().tags[t] + "\n";
  return lines + "\n";
}

void print_block(const SentenceTagger& tagger, std::span<const Words> sentences, const TagCommand& command) {
  const std::vector<TaggedSentence> tagged = tagger.tag(sentences, request_of(command));
  std::string out;
  for (size_t i = 0; i < sentences.size(); ++i) {
    out += command.json ? json_of(sentences[i], tagged[i], command, tagger.written())
                        : columns_of(sentences[i], tagged[i]);
  }
  put_text(out);
  flush_output();
}

// In blocks, for a thousand sequences of tags for every sentence of a file would fill the memory.
void print(const SentenceTagger& tagger, std::span<const Words> sentences, const TagCommand& command) {
  const size_t a_word =
      static_cast<size_t>(command.tags.n_best) + (command.tags.marginals ? tagger.written().size() : 0);
  while (!sentences.empty()) {
    size_t count = 0, found = 0;
    do {
      found += sentences[count++].size() * a_word;
    } while (count < std::min(kBlock, sentences.size()) &&
             found + sentences[count].size() * a_word <= kMostFound);
    print_block(tagger, sentences.first(count), command);
    sentences = sentences.subspan(count);
  }
}

int predict_lines(const SentenceTagger& tagger, const std::string& input, const TagCommand& command) {
  TextLines lines(input, command.replace_invalid);
  std::vector<Words> sentences;
  while (auto line = lines.next()) {
    sentences.push_back(words_of(*line));
    if (sentences.size() < (command.unbuffered ? 1 : kBlock)) continue;
    print(tagger, sentences, command);
    sentences.clear();
  }
  if (!sentences.empty()) print(tagger, sentences, command);
  return 0;
}

ConllOptions options_for(const TagCommand& command, const TaggerModel& model) {
  ConllOptions options = command.tags.conll;
  options.replace_invalid = command.replace_invalid;
  options.usual = model.columns;
  return options;
}

// Sentences of as many words look like columns, and their last words would be lost for tags.
void refuse_plain_text(const ConllFile& file, const Words& known, const TagCommand& command,
                       const std::string& name) {
  constexpr const char* kNoTag = "_";
  const auto is_tag = [&](const std::string& tag) {
    return tag == kNoTag || std::ranges::find(known, tag) != known.end();
  };
  if (!file.has_tags() || file.is_conllu() || !command.tags.conll.tag_column.empty()) return;
  for (const ConllSentence& sentence : file.sentences()) {
    if (std::ranges::any_of(sentence.tags, is_tag)) return;
  }
  if (file.sentences().empty()) return;
  throw_error<DataError>(
      "{}: nothing in its last column, such as '{}', is a tag of this model; if it holds sentences, give "
      "--format lines; if it is of columns, --tag-column none or the number of the tags' column",
      name, shorten(file.sentences().front().tags.front()));
}

int predict_columns(const SentenceTagger& tagger, const ConllOptions& options, const std::string& input,
                    const TagCommand& command) {
  const ConllFile file(input, options);
  if (file.sentences().empty() && !file.bytes().empty() && !command.json) {
    say("warning: {}: no sentences\n", input_name(input));
  }
  if (!command.tags.append) refuse_plain_text(file, tagger.written(), command, input_name(input));
  std::vector<Words> sentences;
  for (const ConllSentence& sentence : file.sentences()) sentences.push_back(sentence.tokens);
  if (command.json) {
    print(tagger, sentences, command);
    return 0;
  }
  std::vector<Words> tags;
  for (TaggedSentence& sentence : tagger.tag(sentences, request_of(command))) {
    tags.push_back(std::move(sentence.paths.front().tags));
  }
  const bool append = command.tags.append || !file.has_tags();
  put_text(file.with_tags(tags, append ? TagPlace::kAppend : TagPlace::kReplace));
  return 0;
}

// Of a text or of lines nothing is read as columns, and columns are written as a whole.
void check_chosen(const TagCommand& command, bool columns, bool is_text) {
  const auto refuse = [&](const std::vector<std::string>& names, const char* what) {
    for (const std::string& name : names) {
      if (std::ranges::find(command.chosen, name) == command.chosen.end()) continue;
      throw_error<ConfigError>("--{} has no effect on {}; leave it out", name, what);
    }
  };
  if (command.json) refuse({"append"}, "JSON");
  if (columns) {
    return refuse({"unbuffered"}, "columns, which are read as a whole; see --format lines");
  }
  const char* what = is_text ? "a text" : "plain lines";
  refuse({"append"}, what);
  refuse(option_names<ConllOptions>(), what);
  if (is_text) refuse({"unbuffered"}, what);
}

ConllFile read_tagged(const std::string& input, const ConllOptions& options) {
  ConllFile file(input, options);
  const std::string name = input_name(input);
  if (file.sentences().empty()) throw_error<DataError>("{}: no sentences to measure with", name);
  if (!file.has_tags()) throw_error<DataError>("{}: no tags to measure with; --tag-column says where", name);
  return file;
}

/// The figures; what stands against a good one is told to `warn`.
template <class Warn>
TaggerEvaluation measure(const TaggerModel& model, const std::string& input, const TagCommand& command,
                         Backend& backend, Warn warn) {
  const ConllFile file = read_tagged(input, options_for(command, model));
  model.network->prepare(backend, precision_of(model.options().recurrent.precision, command.inference));
  WordForms forms = model.forms();
  const TaggedCorpus corpus = encode_tagged(file.sentences(), model.options(), model.labels, forms);
  warn(file, tag_warnings(*model.network, corpus, input_name(input)));
  return evaluate_tagger(model, backend, forms, corpus);
}

}  // namespace

int predict_tags(const ModelFile& file, const std::string& path, const std::string& input,
                 const TagCommand& given, Backend& backend) {
  TagCommand command = given;
  command.json = given.json || given.tags.n_best > 1 || given.tags.marginals;
  const bool is_text = !names_file(input, "predict", " --format lines");
  check_chosen(command, !is_text && !command.lines, is_text);
  TaggerModel model = unpack_tagger(file, path);
  const ConllOptions conll = options_for(command, model);
  const SentenceTagger tagger(model, backend,
                              precision_of(model.options().recurrent.precision, command.inference));
  if (is_text) {
    const Words words[] = {words_of(checked_text(input, command.replace_invalid))};
    print(tagger, words, command);
    return 0;
  }
  return command.lines ? predict_lines(tagger, input, command)
                       : predict_columns(tagger, conll, input, command);
}

int evaluate_tags(const ModelFile& model_file, const std::string& path, const std::string& input,
                  const TagCommand& command, Backend& backend) {
  const TaggerModel model = unpack_tagger(model_file, path);
  const auto tell = [&](const ConllFile& file, const std::vector<std::string>& warnings) {
    say("{}: {} sentences ({})\n", input_name(input), file.sentences().size(),
        file.is_conllu() ? "CoNLL-U" : "columns");
    for (const std::string& warning : warnings) say("warning: {}\n", warning);
  };
  const TaggerEvaluation figures = measure(model, input, command, backend, tell);
  if (command.json) {
    put("{}\n", figures.to_json().dump(2));
    return 0;
  }
  put_text(figures.table());
  if (command.confusion) put("\n{}", figures.tags.confusion_table());
  return 0;
}

std::pair<std::string, double> measure_tagger(const ModelFile& model_file, const std::string& path,
                                              const std::string& input, const TagCommand& command,
                                              Backend& backend) {
  const TaggerModel model = unpack_tagger(model_file, path);
  const TaggerEvaluation figures = measure(model, input, command, backend, [](const auto&, const auto&) {});
  if (figures.spans) return {"F1", figures.f1()};
  return {"accuracy", figures.tags.accuracy};
}

void describe_tagger(const ModelFile& file, const std::string& path) {
  const TaggerModel model = unpack_tagger(file, path);
  const TaggerOptions& o = model.options();
  const RecurrentOptions& r = o.recurrent;
  put("{}: tagger, {} tags, {} words, {} characters, {} numbers, runs in {}\n\n", path, model.labels.size(),
      model.words.size(), model.characters.size(),
      count_text(static_cast<double>(model.network->parameters().num_values())), name_of(r.precision));
  std::string input = o.embedding > 0 ? fmt::format("embedding {}", o.embedding) : "";
  const auto add = [&](const std::string& part) { input += (input.empty() ? "" : " + ") + part; };
  if (o.characters != CharacterPart::kNone) {
    add(fmt::format("characters {} ({})", o.character_width(), name_of(o.characters)));
  }
  if (o.casing > 0) add(fmt::format("casing {}", o.casing));
  put("words -> {} -> {} x {}{} {} -> {}{} {} (scheme {}{})\n\n", input, r.layers,
      r.bidirectional ? "bidirectional " : "", name_of(r.cell), r.hidden,
      o.tanh > 0 ? fmt::format("tanh {} -> ", o.tanh) : "", name_of(o.output), model.labels.size(),
      name_of(o.scheme), o.convert == TagConversion::kBioes ? ", written as BIO" : "");
  put("one step of the cell (x input, h state, * elementwise, s logistic)\n{}", equations(r));
}

}  // namespace rondo::app
