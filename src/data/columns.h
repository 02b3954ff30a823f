// Which columns (or JSON keys) of a file hold the label and the text.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/labelled.h"

namespace rondo {

/// Names that a label or a text goes by, in order of preference, lower case.
std::span<const std::string_view> label_words();
std::span<const std::string_view> text_words();

/// `name` as the words above are written: lower case, trimmed, '_' and '-' as spaces.
std::string plain_name(std::string_view name);

struct Columns {
  bool header = false;
  std::optional<size_t> label;
  std::vector<size_t> texts;
  std::string description;  ///< "no header: column 1 is the label, columns 2-3 the text"
};

/// Chooses by the rules of read_labelled().
/// @param first  the cells of the first row; `file` names it in messages.
/// @throws DataError if a column is missing, ConfigError if the options contradict each other.
Columns choose_columns(const std::vector<std::string>& first, const ReadOptions& options,
                       ExampleReader::Labels labels, const std::string& file);

}  // namespace rondo
