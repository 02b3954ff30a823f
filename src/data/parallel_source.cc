#include "data/parallel_source.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/errors.h"
#include "data/aligned_lines.h"
#include "data/columns.h"
#include "data/csv.h"
#include "data/wording.h"

namespace rondo {
namespace {

using nlohmann::json;
using Row = std::vector<std::string>;

class TwoFiles : public ParallelSource {
 public:
  explicit TwoFiles(const ParallelOptions& options)
      : lines_(std::vector{options.source, options.target}, options.read.replace_invalid) {
    format_ = "two files, a sentence a line";
  }

  std::optional<SentencePair> next() override {
    std::optional<std::vector<std::string>> row = lines_.next();
    if (!row) return std::nullopt;
    return SentencePair{
        .source = std::move((*row)[0]), .target = std::move((*row)[1]), .line = lines_.line()};
  }

  int64_t replaced_lines() const override { return lines_.replaced_lines(); }

 private:
  AlignedLines lines_;
};

std::optional<size_t> as_number(std::string_view text) {
  size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<size_t> known_column(std::span<const std::string_view> words, const Row& names) {
  for (const std::string_view word : words) {
    const auto found = std::ranges::find(names, word, plain_name);
    if (found != names.end()) return static_cast<size_t>(found - names.begin());
  }
  return std::nullopt;
}

class ParallelTable : public ParallelSource {
 public:
  ParallelTable(TextLines lines, const ParallelFormat& format, const PairWording& words)
      : lines_(std::move(lines)), options_(format), words_(words), rows_(lines_, style()) {
    first_ = rows_.next();
    if (!first_) throw_error<DataError>("{}: empty file, expected rows of {}", name(), words_.rows);
    choose_columns();
    width_ = first_->cells.size();
    width_line_ = first_->line;
    if (header_) first_.reset();
  }

  std::optional<SentencePair> next() override {
    std::optional<CsvRow> row = first_ ? std::exchange(first_, std::nullopt) : rows_.next();
    if (!row) return std::nullopt;
    if (row->cells.size() != width_) {
      throw_error<DataError>(
          "{}:{}: {} columns, expected {} as in line {}; put a cell that holds the separator in quotes, "
          "give --no-quotes if quotes are a part of the texts, or, if these are the sentences of one "
          "language "
          "alone, the other file by --target",
          name(), row->line, row->cells.size(), width_, width_line_);
    }
    return SentencePair{.source = std::move(row->cells[source_]),
                        .target = std::move(row->cells[target_]),
                        .line = row->line};
  }

  int64_t replaced_lines() const override { return lines_.replaced_lines(); }

 private:
  const std::string& name() const { return lines_.name(); }

  CsvStyle style() {
    constexpr size_t kSampleLines = 200;
    separator_ =
        options_.format == TextFormat::kTsv ? '\t' : detect_separator(lines_, options_.quotes, kSampleLines);
    return {.separator = separator_, .quotes = options_.quotes};
  }

  void choose_columns() {
    const Row& first = first_->cells;
    if (first.size() < 2) {
      throw_error<DataError>("{}:{}: one column, expected {}; check the separator and --format{}", name(),
                             first_->line, words_.columns, words_.advice);
    }
    header_ = has_header(first);
    const auto source = find(options_.source_column, words_.source_words, first, words_.source_option);
    const auto target = find(options_.target_column, words_.target_words, first, words_.target_option);
    source_ = source.value_or(target == 0U ? 1 : 0);
    target_ = target.value_or(source_ == 1 ? 0 : 1);
    if (source_ == target_) {
      throw_error<ConfigError>("column {} is asked for as the source and as the target; check --{} and --{}",
                               source_ + 1, words_.source_option, words_.target_option);
    }
    const char* kind = separator_ == '\t' ? "TSV" : "CSV";
    format_ = header_ ? fmt::format("{}, header: '{}' to '{}'", kind, shorten(trim(first[source_])),
                                    shorten(trim(first[target_])))
                      : fmt::format("{}, no header: column {} to column {}", kind, source_ + 1, target_ + 1);
  }

  bool has_header(const Row& first) const {
    const bool named = is_name(options_.source_column) || is_name(options_.target_column);
    if (options_.header == Header::kNo && named) {
      throw_error<ConfigError>("a column is asked for by name, but header is no; give its number");
    }
    if (options_.header != Header::kAuto) return options_.header == Header::kYes;
    return named || (known_column(words_.source_words, first) && known_column(words_.target_words, first));
  }

  static bool is_name(const std::string& column) { return !column.empty() && !as_number(column); }

  /// The column that an option asks for, else the one that the header names, else none.
  std::optional<size_t> find(const std::string& column, std::span<const std::string_view> words,
                             const Row& first, const char* option) const {
    if (column.empty()) return header_ ? known_column(words, first) : std::nullopt;
    if (const auto number = as_number(column)) {
      if (*number >= 1 && *number <= first.size()) return *number - 1;
      throw_error<DataError>("{}:{}: no column {}, the first row has {}; check --{}", name(), first_->line,
                             column, first.size(), option);
    }
    const auto found = std::ranges::find(first, plain_name(column), plain_name);
    if (found != first.end()) return static_cast<size_t>(found - first.begin());
    throw_error<DataError>("{}:{}: no column named '{}', the first row has: {}; check --{} and the separator",
                           name(), first_->line, column, short_list(first), option);
  }

  TextLines lines_;
  ParallelFormat options_;
  PairWording words_;
  char separator_ = ',';
  CsvReader rows_;
  std::optional<CsvRow> first_;  // read already, a pair still to give
  bool header_ = false;
  size_t source_ = 0, target_ = 1;
  size_t width_ = 0;
  int64_t width_line_ = 0;
};

class ParallelJson : public ParallelSource {
 public:
  ParallelJson(TextLines lines, const ParallelFormat& format, const PairWording& words)
      : lines_(std::move(lines)), options_(format), words_(words) {
    const std::optional<json> first = next_object();
    if (!first) throw_error<DataError>("{}: empty file, expected a JSON object a line", lines_.name());
    source_ = choose_key(options_.source_column, words_.source_words, *first, words_.source_option);
    target_ = choose_key(options_.target_column, words_.target_words, *first, words_.target_option);
    first_ = read(*first);
    format_ = fmt::format("JSON lines: '{}' to '{}'", source_, target_);
  }

  std::optional<SentencePair> next() override {
    if (first_) return std::exchange(first_, std::nullopt);
    const std::optional<json> object = next_object();
    if (!object) return std::nullopt;
    return read(*object);
  }

  int64_t replaced_lines() const override { return lines_.replaced_lines(); }

 private:
  /// The object of the next line that is not blank.
  std::optional<json> next_object() {
    while (std::optional<std::string> line = lines_.next()) {
      if (trim(*line).empty()) continue;
      json object = json::parse(*line, nullptr, /*allow_exceptions=*/false);
      if (object.is_object()) return object;
      throw_error<DataError>("{}:{}: {}, expected a whole JSON object in each line", lines_.name(),
                             lines_.line(), object.is_discarded() ? "broken JSON" : object.type_name());
    }
    return std::nullopt;
  }

  std::string choose_key(const std::string& asked, std::span<const std::string_view> words, const json& first,
                         const char* option) const {
    if (!asked.empty()) return asked;
    for (const std::string_view word : words) {
      if (first.contains(word)) return std::string(word);
    }
    throw_missing(words.front(), option, first);
  }

  SentencePair read(const json& object) const {
    return {.source = text_at(object, source_, words_.source_option),
            .target = text_at(object, target_, words_.target_option),
            .line = lines_.line()};
  }

  /// object["a.b"] if there is such a key, else object["a"]["b"].
  const std::string& text_at(const json& object, const std::string& key, const char* option) const {
    const json* value = &object;
    for (std::string rest = key; !rest.empty();) {
      if (!value->is_object()) throw_missing(key, option, object);
      const size_t dot = value->contains(rest) ? std::string::npos : rest.find('.');
      const auto found = value->find(rest.substr(0, dot));
      if (found == value->end()) throw_missing(key, option, object);
      value = &*found;
      rest = dot == std::string::npos ? "" : rest.substr(dot + 1);
    }
    if (value->is_string()) return value->get_ref<const std::string&>();
    throw_error<DataError>("{}:{}: '{}' is a JSON {}, expected a string; check --{}", lines_.name(),
                           lines_.line(), key, value->type_name(), option);
  }

  [[noreturn]] void throw_missing(std::string_view key, const char* option, const json& object) const {
    std::vector<std::string> keys;
    for (const auto& item : object.items()) keys.push_back(item.key());
    throw_error<DataError>(
        "{}:{}: no key '{}', the object has: {}; name the key by --{} (a.b for b inside a)", lines_.name(),
        lines_.line(), key, short_list(keys), option);
  }

  TextLines lines_;
  ParallelFormat options_;
  PairWording words_;
  std::string source_, target_;
  std::optional<SentencePair> first_;
};

TextFormat format_by_content(TextLines& lines) {
  const std::string* first = nullptr;
  for (size_t i = 0; (first = lines.peek(i)) != nullptr && trim(*first).empty();) ++i;
  if (first == nullptr) throw_error<DataError>("{}: there is no sentence in it", lines.name());
  if (trim(*first).starts_with("{")) return TextFormat::kJsonl;
  return first->find('\t') != std::string::npos ? TextFormat::kTsv : TextFormat::kCsv;
}

}  // namespace

std::unique_ptr<ParallelSource> open_table(const std::string& path, const ParallelFormat& format,
                                           const PairWording& words) {
  ParallelFormat read = format;
  TextLines lines(path, read.replace_invalid);
  if (read.format == TextFormat::kAuto) read.format = format_by_name(path);
  if (read.format == TextFormat::kAuto) read.format = format_by_content(lines);
  if (read.format == TextFormat::kLines || read.format == TextFormat::kFastText) {
    throw_error<ConfigError>("--format {}: {} is csv, tsv or jsonl, with {} in each row",
                             name_of(read.format), input_name(path), words.columns);
  }
  if (read.format != TextFormat::kJsonl) return make_parallel_table(std::move(lines), read, words);
  if (read.header != Header::kAuto || !read.quotes) {
    throw_error<ConfigError>("--header and --no-quotes have no effect on JSON lines; check --format");
  }
  return make_parallel_json(std::move(lines), read, words);
}

std::unique_ptr<ParallelSource> make_two_files(const ParallelOptions& options) {
  return std::make_unique<TwoFiles>(options);
}

std::unique_ptr<ParallelSource> make_parallel_table(TextLines lines, const ParallelFormat& format,
                                                    const PairWording& words) {
  return std::make_unique<ParallelTable>(std::move(lines), format, words);
}

std::unique_ptr<ParallelSource> make_parallel_json(TextLines lines, const ParallelFormat& format,
                                                   const PairWording& words) {
  return std::make_unique<ParallelJson>(std::move(lines), format, words);
}

}  // namespace rondo
