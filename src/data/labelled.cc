#include "data/labelled.h"

#include <algorithm>

#include "base/errors.h"
#include "data/example_source.h"
#include "data/text_lines.h"
#include "data/wording.h"

namespace rondo {
namespace {

using Labels = ExampleReader::Labels;

TextFormat format_by_content(TextLines& lines, const std::string& path, Labels labels) {
  if (labels == Labels::kOptional && path == "-") return TextFormat::kLines;
  const std::string* first = nullptr;
  for (size_t i = 0; (first = lines.peek(i)) != nullptr && trim(*first).empty();) ++i;
  if (first == nullptr) {
    if (labels == Labels::kOptional) return TextFormat::kLines;
    throw_error<DataError>("{}: empty file, expected labels and texts", lines.name());
  }
  const std::string_view line = trim(*first);
  if (line.starts_with("__label__")) return TextFormat::kFastText;
  if (labels == Labels::kOptional) return TextFormat::kLines;
  if (line.starts_with("{")) return TextFormat::kJsonl;
  return line.find('\t') != std::string_view::npos ? TextFormat::kTsv : TextFormat::kCsv;
}

TextFormat detect_format(TextLines& lines, const std::string& path, const ReadOptions& options,
                         Labels labels) {
  if (options.format != TextFormat::kAuto) return options.format;
  const TextFormat named = format_by_name(path);
  return named != TextFormat::kAuto ? named : format_by_content(lines, path, labels);
}

// Of one example: far above what anybody means, and a bound on the time that a hostile row takes.
constexpr size_t kMostLabels = 4096;

bool is_table(TextFormat format) { return format == TextFormat::kCsv || format == TextFormat::kTsv; }

// An option that has no effect is a mistake, not silence.
void check_options(const ReadOptions& options) {
  const bool columns = !options.label_column.empty() || !options.text_column.empty();
  const char* name = name_of(options.format);
  if (columns && !is_table(options.format) && options.format != TextFormat::kJsonl) {
    throw_error<ConfigError>("label-column and text-column have no effect on the format {}; check --format",
                             name);
  }
  if (!is_table(options.format) && options.header != Header::kAuto) {
    throw_error<ConfigError>("header has no effect on the format {}; check --format", name);
  }
  if (!is_table(options.format) && !options.quotes) {
    throw_error<ConfigError>("quotes has no effect on the format {}; check --format", name);
  }
}

std::unique_ptr<ExampleReader::Source> open_source(const std::string& path, ReadOptions options,
                                                   Labels labels) {
  TextLines lines(path, options.replace_invalid);
  options.format = detect_format(lines, path, options, labels);
  check_options(options);
  switch (options.format) {
    case TextFormat::kJsonl:
      return make_json_source(std::move(lines), options, labels);
    case TextFormat::kFastText:
      return make_fasttext_source(std::move(lines), options, labels);
    case TextFormat::kLines:
      return make_line_source(std::move(lines), options, labels);
    default:
      return make_table_source(std::move(lines), options, labels);
  }
}

LabelledCorpus read_all(const std::string& path, const ReadOptions& options, Labels labels) {
  ExampleReader reader(path, options, labels);
  LabelledCorpus corpus{.path = path, .format = reader.format()};
  while (std::optional<Example> example = reader.next()) {
    if (trim(example->text).empty()) ++corpus.empty_texts;
    corpus.examples.push_back(std::move(*example));
  }
  corpus.replaced_lines = reader.replaced_lines();
  return corpus;
}

}  // namespace

TextFormat format_by_name(std::string name) {
  std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  if (name.ends_with(".csv")) return TextFormat::kCsv;
  if (name.ends_with(".tsv") || name.ends_with(".tab")) return TextFormat::kTsv;
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson") || name.ends_with(".json"))
    return TextFormat::kJsonl;
  return TextFormat::kAuto;
}

bool names_examples(const std::string& path) { return format_by_name(path) != TextFormat::kAuto; }

void ExampleReader::Source::add_labels(Example& example, std::string_view cell) const {
  const bool several = !options_.label_separator.empty();
  const std::vector<std::string> names =
      several ? split_list(cell, options_.label_separator) : std::vector{std::string(trim(cell))};
  for (const std::string& name : names) {
    if (name.empty() || std::ranges::find(example.labels, name) != example.labels.end()) continue;
    if (example.labels.size() == kMostLabels) {
      throw_error<DataError>("{}:{}: more than {} labels in one row; is this the right column?",
                             lines_.name(), example.line, kMostLabels);
    }
    example.labels.push_back(name);
  }
}

void ExampleReader::Source::require_label(const Example& example, std::string_view where) const {
  if (labels_ != Labels::kRequired || !example.labels.empty()) return;
  throw_error<DataError>("{}:{}: {}; every text needs a label: give it one or take it out", lines_.name(),
                         example.line, where);
}

ExampleReader::ExampleReader(const std::string& path, const ReadOptions& options, Labels labels)
    : source_(open_source(path, options, labels)) {}
ExampleReader::~ExampleReader() = default;
ExampleReader::ExampleReader(ExampleReader&&) noexcept = default;

std::optional<Example> ExampleReader::next() { return source_->next(); }
const std::string& ExampleReader::format() const { return source_->format(); }
int64_t ExampleReader::replaced_lines() const { return source_->replaced_lines(); }

LabelledCorpus read_labelled(const std::string& path, const ReadOptions& options) {
  LabelledCorpus corpus = read_all(path, options, Labels::kRequired);
  if (corpus.examples.empty()) {
    throw_error<DataError>("{}: no examples ({}), expected rows of labels and texts", path, corpus.format);
  }
  return corpus;
}

LabelledCorpus read_texts(const std::string& path, const ReadOptions& options) {
  return read_all(path, options, Labels::kOptional);
}

}  // namespace rondo
