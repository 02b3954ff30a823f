#include "data/columns.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/errors.h"
#include "data/wording.h"

namespace rondo {
namespace {

using Labels = ExampleReader::Labels;
using Row = std::vector<std::string>;

constexpr std::string_view kLabelWords[] = {"label",  "labels",  "class",     "class index", "category",
                                            "target", "section", "sentiment", "topic"};
constexpr std::string_view kTextWords[] = {"title",       "headline", "text",    "sentence",
                                           "description", "content",  "body",    "review",
                                           "comment",     "message",  "document"};

bool is_one_of(std::span<const std::string_view> words, std::string_view cell) {
  return std::ranges::find(words, plain_name(cell)) != words.end();
}

std::optional<size_t> as_number(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool looks_like_header(const Row& row, Labels labels) {
  if (std::set<std::string>(row.begin(), row.end()).size() != row.size()) return false;
  const bool label = std::ranges::any_of(row, [](const auto& cell) { return is_one_of(kLabelWords, cell); });
  const bool text = std::ranges::any_of(row, [](const auto& cell) { return is_one_of(kTextWords, cell); });
  const bool lone_text = labels == Labels::kOptional && row.size() == 1;
  return text && (label || lone_text);
}

// The columns that the options ask for, as the user wrote them.
std::vector<std::string> asked_columns(const ReadOptions& options) {
  std::vector<std::string> asked = split_list(options.text_column, ",");
  if (!options.label_column.empty()) asked.push_back(options.label_column);
  return asked;
}

bool has_header(const Row& first, const ReadOptions& options, Labels labels) {
  const std::vector<std::string> asked = asked_columns(options);
  const auto name = std::ranges::find_if(asked, [](const auto& column) { return !as_number(column); });
  if (options.header == Header::kNo && name != asked.end()) {
    throw_error<ConfigError>("column '{}' is asked for by name, but header is no; give its number", *name);
  }
  if (options.header != Header::kAuto) return options.header == Header::kYes;
  return name != asked.end() || looks_like_header(first, labels);
}

size_t find_column(const std::string& column, const Row& first, const char* option, const std::string& file) {
  if (const auto number = as_number(column)) {
    if (*number >= 1 && *number <= first.size()) return *number - 1;
    throw_error<DataError>("{}: no column {}, the first row has {}; check --{}", file, column, first.size(),
                           option);
  }
  auto found = std::ranges::find_if(first, [&](const auto& cell) { return trim(cell) == column; });
  if (found == first.end()) {
    found =
        std::ranges::find_if(first, [&](const auto& cell) { return plain_name(cell) == plain_name(column); });
  }
  if (found == first.end()) {
    throw_error<DataError>("{}: no column named '{}', the first row has: {}; check --{} and the separator",
                           file, column, short_list(first), option);
  }
  return found - first.begin();
}

std::optional<size_t> known_label(const Row& names) {
  for (const std::string_view word : kLabelWords) {
    const auto found = std::ranges::find(names, word, plain_name);
    if (found != names.end()) return found - names.begin();
  }
  return std::nullopt;
}

bool contains(const std::vector<size_t>& columns, size_t column) {
  return std::ranges::find(columns, column) != columns.end();
}

std::optional<size_t> default_label(const Row& first, const Columns& columns, Labels labels) {
  if (columns.header) {
    const auto known = known_label(first);
    if (known && !contains(columns.texts, *known)) return known;
    // Unknown names: only who needs labels may take a guess for one.
    if (labels == Labels::kOptional) return std::nullopt;
  }
  if (labels == Labels::kOptional && !columns.texts.empty()) return std::nullopt;
  if (first.size() == 1) return std::nullopt;
  for (size_t column = 0; column < first.size(); ++column) {
    if (!contains(columns.texts, column)) return column;
  }
  return std::nullopt;
}

std::vector<size_t> default_texts(const Row& first, const Columns& columns) {
  std::vector<size_t> known;
  std::vector<size_t> all;
  for (size_t column = 0; column < first.size(); ++column) {
    if (columns.label == column) continue;
    all.push_back(column);
    if (columns.header && is_one_of(kTextWords, first[column])) known.push_back(column);
  }
  return known.empty() ? all : known;
}

std::string describe_texts(const Columns& columns, const Row& first) {
  const std::vector<size_t>& texts = columns.texts;
  std::vector<std::string> names;
  for (const size_t column : texts) {
    names.push_back(columns.header ? fmt::format("'{}'", shorten(trim(first[column])))
                                   : std::to_string(column + 1));
  }
  const bool run = !columns.header && texts.size() > 1 && texts.back() - texts.front() == texts.size() - 1 &&
                   std::ranges::is_sorted(texts);
  const std::string list = run ? names.front() + "-" + names.back() : short_list(names);
  return fmt::format("column{} {}", names.size() == 1 ? "" : "s", list);
}

std::string describe(const Columns& columns, const Row& first) {
  const std::string header = columns.header ? "header" : "no header";
  const std::string texts = describe_texts(columns, first);
  if (!columns.label) return fmt::format("{}: {} the text, no label", header, texts);
  const std::string label = columns.header ? fmt::format("'{}'", shorten(trim(first[*columns.label])))
                                           : std::to_string(*columns.label + 1);
  return fmt::format("{}: column {} is the label, {} the text", header, label, texts);
}

void check(const Columns& columns, const Row& first, Labels labels, const std::string& file) {
  if (labels == Labels::kRequired && (!columns.label || columns.texts.empty())) {
    throw_error<DataError>(
        "{}: {} column(s), expected a label and a text; check the separator, --format, --label-column and "
        "--text-column",
        file, first.size());
  }
  if (columns.label && contains(columns.texts, *columns.label)) {
    throw_error<ConfigError>(
        "column {} is asked for as the label and as the text; check --label-column and "
        "--text-column",
        *columns.label + 1);
  }
}

}  // namespace

std::span<const std::string_view> label_words() { return kLabelWords; }
std::span<const std::string_view> text_words() { return kTextWords; }

std::string plain_name(std::string_view name) {
  std::string plain(trim(name));
  for (char& c : plain) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == '-') c = ' ';
  }
  return plain;
}

Columns choose_columns(const Row& first, const ReadOptions& options, Labels labels, const std::string& file) {
  Columns columns;
  columns.header = has_header(first, options, labels);
  for (const std::string& text : split_list(options.text_column, ",")) {
    columns.texts.push_back(find_column(text, first, "text-column", file));
  }
  columns.label = options.label_column.empty()
                      ? default_label(first, columns, labels)
                      : find_column(options.label_column, first, "label-column", file);
  if (columns.texts.empty()) columns.texts = default_texts(first, columns);
  check(columns, first, labels, file);
  columns.description = describe(columns, first);
  return columns;
}

}  // namespace rondo
