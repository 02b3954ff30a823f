// CSV and TSV.
#include <fmt/format.h>

#include "base/errors.h"
#include "data/columns.h"
#include "data/csv.h"
#include "data/example_source.h"

namespace rondo {
namespace {

// Lines that are looked at to find the separator. One of standard input: a stream answers at once.
constexpr size_t kSampleLines = 200;

std::string kind_name(char separator, TextFormat format) {
  if (format == TextFormat::kTsv) return "TSV";
  if (separator == ',') return "CSV";
  return separator == '\t' ? "CSV with tabs" : fmt::format("CSV with '{}'", separator);
}

class TableSource : public ExampleReader::Source {
 public:
  TableSource(TextLines lines, const ReadOptions& options, ExampleReader::Labels labels)
      : Source(std::move(lines), options, labels), rows_(lines_, style()) {
    first_ = rows_.next();
    if (!first_) {
      throw_error<DataError>("{}: empty file, expected rows of labels and texts", lines_.name());
    }
    columns_ =
        choose_columns(first_->cells, options_, labels_, fmt::format("{}:{}", lines_.name(), first_->line));
    width_ = first_->cells.size();
    width_line_ = first_->line;
    if (columns_.header) first_.reset();
    format_ = fmt::format("{}, {}", kind_name(separator_, options_.format), columns_.description);
  }

  std::optional<Example> next() override {
    std::optional<CsvRow> row = first_ ? std::exchange(first_, std::nullopt) : rows_.next();
    if (!row) return std::nullopt;
    if (row->cells.size() != width_) {
      throw_error<DataError>(
          "{}:{}: {} columns, expected {} as in line {}; put a cell that holds the separator in quotes",
          lines_.name(), row->line, row->cells.size(), width_, width_line_);
    }
    Example example{.labels = {}, .text = {}, .line = row->line};
    for (const size_t column : columns_.texts) {
      if (!example.text.empty() && !row->cells[column].empty()) example.text += ' ';
      example.text += row->cells[column];
    }
    if (columns_.label) {
      add_labels(example, row->cells[*columns_.label]);
      require_label(example, fmt::format("the label in column {} is empty", *columns_.label + 1));
    }
    return example;
  }

 private:
  CsvStyle style() {
    const size_t sample = lines_.name() == "standard input" ? 1 : kSampleLines;
    separator_ =
        options_.format == TextFormat::kTsv ? '\t' : detect_separator(lines_, options_.quotes, sample);
    return {.separator = separator_, .quotes = options_.quotes};
  }

  char separator_ = ',';
  CsvReader rows_;
  std::optional<CsvRow> first_;  // read already, an example still to give
  Columns columns_;
  size_t width_ = 0;
  int64_t width_line_ = 0;
};

}  // namespace

std::unique_ptr<ExampleReader::Source> make_table_source(TextLines lines, const ReadOptions& options,
                                                         ExampleReader::Labels labels) {
  return std::make_unique<TableSource>(std::move(lines), options, labels);
}

}  // namespace rondo
