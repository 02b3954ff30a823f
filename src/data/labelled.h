// Texts with labels, read from the files that people have: CSV, TSV, JSON lines, fastText, plain lines.
//   LabelledCorpus train = read_labelled("news.csv.gz");
//   train.examples[0].labels[0] == "Sports";  train.format == "CSV, no header: column 1 is the label, ..."
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"

namespace rondo {

enum class TextFormat { kAuto, kCsv, kTsv, kJsonl, kFastText, kLines };

template <>
inline constexpr auto kNames<TextFormat> =
    std::array{std::pair{TextFormat::kAuto, "auto"},         std::pair{TextFormat::kCsv, "csv"},
               std::pair{TextFormat::kTsv, "tsv"},           std::pair{TextFormat::kJsonl, "jsonl"},
               std::pair{TextFormat::kFastText, "fasttext"}, std::pair{TextFormat::kLines, "lines"}};

enum class Header { kAuto, kYes, kNo };

template <>
inline constexpr auto kNames<Header> = std::array{
    std::pair{Header::kAuto, "auto"}, std::pair{Header::kYes, "yes"}, std::pair{Header::kNo, "no"}};

struct ReadOptions {
  TextFormat format = TextFormat::kAuto;
  std::string label_column;
  std::string text_column;
  Header header = Header::kAuto;
  std::string label_separator;
  bool quotes = true;
  bool replace_invalid = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("format", format, "how the input is written; auto looks at the name and the first lines");
    v("label-column", label_column,
      "name or number (from 1) of the label's column or JSON key; empty: by the header, else the first");
    v("text-column", text_column,
      "name or number of the text's column or JSON key, several joined by commas; empty: by the header, "
      "else all but the label");
    v("header", header, "whether the first row of CSV or TSV names the columns; auto: if it looks so");
    v("label-separator", label_separator, "what stands between several labels in one cell, such as ';'");
    v("quotes", quotes, "cells of CSV and TSV may stand in double quotes; false takes quotes as they are");
    v("replace-invalid", replace_invalid,
      "put U+FFFD for bytes that are not UTF-8 instead of stopping at them");
  }
};

/// One text as it stood in the file. `labels` is empty where the input has none, has no label twice and
/// keeps the order of the file; `line` is the physical line, from 1, that the example began in.
struct Example {
  std::vector<std::string> labels;
  std::string text;
  int64_t line = 0;
};

struct LabelledCorpus {
  std::string path;
  std::string format;  ///< what was detected, to tell the user: "CSV, no header: column 1 is the label, ..."
  std::vector<Example> examples;
  int64_t replaced_lines = 0;  ///< lines with bytes that were not UTF-8 (replace_invalid)
  int64_t empty_texts = 0;     ///< examples without a text: they count, worth a warning
};

/// The examples of a file one by one, for input that does not end or does not fit.
///   ExampleReader reader("-");  while (auto example = reader.next()) { ... }
class ExampleReader {
 public:
  enum class Labels { kRequired, kOptional };

  /// Opens the file and looks at its first lines ("-": at the first only, so that a stream answers at once).
  /// @throws DataError (empty file, no such column, no labels), ConfigError (options that do not fit),
  /// IoError.
  ExampleReader(const std::string& path, const ReadOptions& options, Labels labels);
  ~ExampleReader();
  ExampleReader(ExampleReader&&) noexcept;

  /// The next example, or nothing at the end.
  /// @throws DataError `file:line: ...` for a missing column, an empty label, a quote that does not close,
  ///         broken JSON or bytes that are not UTF-8.
  std::optional<Example> next();
  /// What was detected, in words.
  const std::string& format() const;
  int64_t replaced_lines() const;

  /// What turns one kind of file into examples.
  class Source;

 private:
  std::unique_ptr<Source> source_;
};

/// Whether a file's name says that it holds examples: .csv, .tsv, .jsonl and so on, .gz or not.
bool names_examples(const std::string& path);
/// The format that a file's name tells, .gz or not; kAuto for one that tells none.
TextFormat format_by_name(std::string name);

/// Reads a corpus for training or evaluation: every row must have a label.
///
/// Format, if auto: by the name (.csv .tsv .jsonl .ndjson, with or without .gz), else by the first line: `{`
/// begins JSON lines, `__label__` fastText, a tab makes it TSV, a comma CSV. The separator of CSV is the
/// first of , ; tab | that cuts all of the first rows into the same number of columns, two at least.
///
/// Header, if auto: the first row is one if an option names a column that it holds, or if all its cells
/// differ, one is a word for a label (label, labels, class, class index, category, target, sentiment,
/// section, topic) and another a word for a text (text, title, description, sentence, content, body, review,
/// comment, message, headline, document), upper or lower case. By default those columns are taken; without
/// such words the first column is the label and all others, joined by a space, are the text.
///
/// Blank lines between rows are skipped. Several labels stand in one cell with label_separator, in a JSON
/// array, or as several __label__.
LabelledCorpus read_labelled(const std::string& path, const ReadOptions& options = {});

/// Reads texts to predict: labels are kept where the file has them. Auto takes "-", .txt and unknown
/// names as plain lines, a text a line, a blank line being an empty text (a file, not "-", whose first line
/// begins with __label__ is fastText).
LabelledCorpus read_texts(const std::string& path, const ReadOptions& options = {});

}  // namespace rondo
