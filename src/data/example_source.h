// The kinds of files behind ExampleReader, one factory each.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/labelled.h"
#include "data/text_lines.h"

namespace rondo {

class ExampleReader::Source {
 public:
  Source(TextLines lines, const ReadOptions& options, Labels labels)
      : lines_(std::move(lines)), options_(options), labels_(labels) {}
  virtual ~Source() = default;

  virtual std::optional<Example> next() = 0;
  const std::string& format() const { return format_; }
  int64_t replaced_lines() const { return lines_.replaced_lines(); }

 protected:
  /// Adds the labels of one cell, or the one label if there is no separator; each once.
  void add_labels(Example& example, std::string_view cell) const;
  /// @throws DataError if the example must have a label and has none; `where` is said of it.
  void require_label(const Example& example, std::string_view where) const;

  TextLines lines_;
  ReadOptions options_;
  Labels labels_;
  std::string format_;
};

std::unique_ptr<ExampleReader::Source> make_table_source(TextLines lines, const ReadOptions& options,
                                                         ExampleReader::Labels labels);
std::unique_ptr<ExampleReader::Source> make_json_source(TextLines lines, const ReadOptions& options,
                                                        ExampleReader::Labels labels);
std::unique_ptr<ExampleReader::Source> make_fasttext_source(TextLines lines, const ReadOptions& options,
                                                            ExampleReader::Labels labels);
std::unique_ptr<ExampleReader::Source> make_line_source(TextLines lines, const ReadOptions& options,
                                                        ExampleReader::Labels labels);

}  // namespace rondo
