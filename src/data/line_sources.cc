// fastText lines and plain lines.
#include "base/errors.h"
#include "data/example_source.h"
#include "data/wording.h"

namespace rondo {
namespace {

constexpr std::string_view kPrefix = "__label__";

// As fastText reads it: every word that begins with __label__ is a label, wherever it stands in the line.
class FastTextSource : public ExampleReader::Source {
 public:
  FastTextSource(TextLines lines, const ReadOptions& options, ExampleReader::Labels labels)
      : Source(std::move(lines), options, labels) {
    format_ = "fastText: the words that begin with __label__ are the labels";
  }

  std::optional<Example> next() override {
    std::optional<std::string> line = lines_.next();
    while (line && labels_ == ExampleReader::Labels::kRequired && trim(*line).empty()) line = lines_.next();
    if (!line) return std::nullopt;
    Example example{.labels = {}, .text = {}, .line = lines_.line()};
    split(*line, example);
    require_label(example, "no word that begins with __label__");
    return example;
  }

 private:
  // Text outside the labels stays as it is, its spaces too.
  void split(std::string_view line, Example& example) const {
    size_t position = 0;
    std::string text;
    while (position < line.size()) {
      const size_t end = std::min(line.find_first_of(" \t", position), line.size());
      const std::string_view word = line.substr(position, end - position);
      const size_t next = std::min(end + 1, line.size());
      if (word.starts_with(kPrefix)) {
        add_label(word.substr(kPrefix.size()), example);
      } else {
        text += line.substr(position, next - position);
      }
      position = next;
    }
    example.text = trim(text);
  }

  void add_label(std::string_view name, Example& example) const {
    if (name.empty()) {
      throw_error<DataError>("{}:{}: __label__ without a name; write it as one word: __label__sports",
                             lines_.name(), lines_.line());
    }
    add_labels(example, name);
  }
};

class LineSource : public ExampleReader::Source {
 public:
  LineSource(TextLines lines, const ReadOptions& options, ExampleReader::Labels labels)
      : Source(std::move(lines), options, labels) {
    if (labels == ExampleReader::Labels::kRequired) {
      throw_error<ConfigError>("{}: plain lines have no labels; give CSV, TSV, JSON lines or fastText",
                               lines_.name());
    }
    format_ = "plain lines: each is a text";
  }

  std::optional<Example> next() override {
    std::optional<std::string> line = lines_.next();
    if (!line) return std::nullopt;
    return Example{.labels = {}, .text = std::move(*line), .line = lines_.line()};
  }
};

}  // namespace

std::unique_ptr<ExampleReader::Source> make_fasttext_source(TextLines lines, const ReadOptions& options,
                                                            ExampleReader::Labels labels) {
  return std::make_unique<FastTextSource>(std::move(lines), options, labels);
}

std::unique_ptr<ExampleReader::Source> make_line_source(TextLines lines, const ReadOptions& options,
                                                        ExampleReader::Labels labels) {
  return std::make_unique<LineSource>(std::move(lines), options, labels);
}

}  // namespace rondo
