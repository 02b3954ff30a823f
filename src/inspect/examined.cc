#include "inspect/examined.h"

#include <algorithm>

#include "base/errors.h"
#include "base/files.h"
#include "text/tokenizer.h"
#include "text/unicode.h"

namespace rondo {

namespace {

bool is_word(std::string_view token) {
  size_t position = 0;
  const char32_t first = next_code_point(token, position);
  return first > 127 || (first >= '0' && first <= '9') || (first >= 'a' && first <= 'z') ||
         (first >= 'A' && first <= 'Z');
}

uint64_t hash(std::string_view bytes) { return std::hash<std::string_view>{}(bytes); }

// The words go to the table in the order of the text.
ExaminedText examined(std::string_view text, const Tokenizer& tokenizer, TokenTable& table) {
  ExaminedText result{.exact = hash(text), .normalised = 0, .tokens = {}};
  std::string words;
  tokenizer.each_token(text, [&](std::string_view token) {
    result.tokens.push_back(table.number(token));
    if (is_word(token)) words.append(token).push_back(' ');
  });
  result.normalised = words.empty() ? result.exact : hash(words);
  return result;
}

ExaminedCorpus read_classified(const std::string& path, const ReadOptions& options,
                               const Tokenizer& tokenizer, TokenTable& table) {
  ExampleReader reader(path, options, ExampleReader::Labels::kRequired);
  ExaminedCorpus corpus{.path = path, .format = reader.format(), .noun = "texts", .items = {}};
  while (std::optional<Example> example = reader.next()) {
    corpus.items.push_back({.line = example->line,
                            .text = examined(example->text, tokenizer, table),
                            .target = {},
                            .labels = std::move(example->labels)});
  }
  if (corpus.items.empty()) throw_error<DataError>("{}: no examples, expected labels and texts", path);
  return corpus;
}

ExaminedCorpus read_tagged(const std::string& path, ConllOptions options, TokenTable& table) {
  options.replace_invalid = true;
  const ConllFile file(path, options);
  ExaminedCorpus corpus{.path = path,
                        .format = file.is_conllu() ? "CoNLL-U" : "CoNLL columns",
                        .noun = "sentences",
                        .items = {}};
  for (const ConllSentence& sentence : file.sentences()) {
    ExaminedItem item{.line = sentence.line, .text = {}, .target = {}, .labels = sentence.tags};
    std::string all, words;
    for (const std::string& token : sentence.tokens) {
      item.text.tokens.push_back(table.number(token));
      all.append(token).push_back(' ');
      if (is_word(token)) words.append(lower_case(token)).push_back(' ');
    }
    item.text.exact = hash(all);
    item.text.normalised = words.empty() ? item.text.exact : hash(words);
    corpus.items.push_back(std::move(item));
  }
  if (!file.has_tags() || corpus.items.empty()) {
    throw_error<DataError>("{}: no tagged sentences, expected a word and its tag a line", path);
  }
  return corpus;
}

ExaminedCorpus read_unlabelled(const std::string& path, const ReadOptions& options,
                               const Tokenizer& tokenizer, TokenTable& table) {
  ExampleReader reader(path, options, ExampleReader::Labels::kOptional);
  ExaminedCorpus corpus{.path = path, .format = reader.format(), .noun = "texts", .items = {}};
  while (std::optional<Example> example = reader.next()) {
    corpus.items.push_back({.line = example->line,
                            .text = examined(example->text, tokenizer, table),
                            .target = {},
                            .labels = {}});
  }
  return corpus;
}

// Lines are what repeats in texts, whatever their documents are; blank ones only part them.
ExaminedCorpus read_lines(const std::string& path, const Tokenizer& tokenizer, TokenTable& table) {
  ExaminedCorpus corpus{.path = path, .format = "text", .noun = "lines", .items = {}};
  LineReader lines(path);
  while (std::optional<std::string> line = lines.next()) {
    if (!is_valid_utf8(*line)) line = replace_invalid_utf8(*line);
    if (line->find_first_not_of(" \t\r\f\v") == std::string::npos) continue;
    corpus.items.push_back(
        {.line = lines.line(), .text = examined(*line, tokenizer, table), .target = {}, .labels = {}});
  }
  if (corpus.items.empty()) throw_error<DataError>("{}: there is no text in it", path);
  return corpus;
}

ExaminedCorpus read_pairs(const std::string& path, const std::string& target, const ExaminedFormat& format,
                          const Tokenizer& tokenizer, ExaminedWords& words) {
  const ParallelFormat read{.format = format.read.format,
                            .source_column = format.source_column,
                            .target_column = format.target_column,
                            .header = format.read.header,
                            .quotes = format.read.quotes,
                            .replace_invalid = true};
  const ParallelCorpus pairs = read_parallel({.source = path, .target = target, .read = read});
  ExaminedCorpus corpus{
      .path = path, .format = pairs.format, .noun = "pairs", .items = {}, .empty_sides = pairs.empty};
  for (const SentencePair& pair : pairs.pairs) {
    corpus.items.push_back({.line = pair.line,
                            .text = examined(pair.source, tokenizer, words.text),
                            .target = examined(pair.target, tokenizer, words.target),
                            .labels = {}});
  }
  return corpus;
}

}  // namespace

ExaminedTask task_by_name(const std::string& path) {
  std::string name = path;
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  for (const char* ending : {".conll", ".conllu", ".bio", ".iob", ".iob2", ".bioes"}) {
    if (name.ends_with(ending)) return ExaminedTask::kTag;
  }
  if (name.ends_with(".txt")) {
    LineReader lines(path);
    const std::optional<std::string> first = lines.next();
    return first && first->starts_with("__label__") ? ExaminedTask::kClassify : ExaminedTask::kLm;
  }
  return ExaminedTask::kClassify;
}

ExaminedCorpus read_examined(const std::string& path, const std::string& target, const ExaminedFormat& format,
                             ExaminedWords& words) {
  ReadOptions options = format.read;
  options.replace_invalid = true;
  const auto tokenizer = make_tokenizer(TokenizerKind::kWords);
  switch (format.task) {
    case ExaminedTask::kTag:
      return read_tagged(path, format.conll, words.text);
    case ExaminedTask::kLm:
      if (names_examples(path)) return read_unlabelled(path, options, *tokenizer, words.text);
      return read_lines(path, *tokenizer, words.text);
    case ExaminedTask::kTranslate:
      return read_pairs(path, target, format, *tokenizer, words);
    default:
      return read_classified(path, options, *tokenizer, words.text);
  }
}

std::string label_key(const ExaminedItem& item) {
  if (item.labels.size() == 1) return item.labels[0];
  std::vector<std::string> sorted = item.labels;
  std::ranges::sort(sorted);
  std::string key;
  for (const std::string& label : sorted) key += (key.empty() ? "" : " + ") + label;
  return key;
}

}  // namespace rondo
