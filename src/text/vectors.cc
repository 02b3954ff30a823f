#include "text/vectors.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/errors.h"
#include "base/files.h"
#include "text/unicode.h"

namespace rondo {
namespace {

constexpr int64_t kMaxDimension = 8192;  // the widest in use have about 1,000
constexpr uint8_t kByLowerCase = 2;      // a vector that an exact match may still replace
constexpr uint8_t kExact = 1;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trim_right(std::string_view text) {
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Cuts the last column off `text`, with the blanks before it.
std::string_view take_last_column(std::string_view& text) {
  size_t begin = text.size();
  while (begin > 0 && !is_blank(text[begin - 1])) --begin;
  const std::string_view column = text.substr(begin);
  text = trim_right(text.substr(0, begin));
  return column;
}

int64_t count_columns(std::string_view text) {
  int64_t count = 0;
  for (text = trim_right(text); !text.empty(); ++count) take_last_column(text);
  return count;
}

/// The number that is all of `text`. As double: 1e-50 is a valid float's text, zero, but out of float's
/// range.
std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    const bool is_tiny =
        text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    return is_tiny ? 0.0 : HUGE_VAL;
  }
  return value;
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Which rows a word of the file is for.
class Targets {
 public:
  explicit Targets(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {
    for (int32_t id = 0; id < vocabulary.size(); ++id) {
      const std::string& token = vocabulary.token(id);
      if (!is_valid_utf8(token)) continue;
      const std::string lowered = lower_case(token);
      if (lowered != token) by_lower_case_[lowered].push_back(id);
    }
  }

  /// The id whose token is `word`, or -1.
  int32_t exact(std::string_view word) const {
    const int32_t id = vocabulary_.id(word);
    return id != Vocabulary::kUnknown || word == vocabulary_.token(Vocabulary::kUnknown) ? id : -1;
  }

  /// The ids of other tokens whose lower case is `word`.
  std::span<const int32_t> by_lower_case(std::string_view word) const {
    const auto entry = by_lower_case_.find(word);
    return entry == by_lower_case_.end() ? std::span<const int32_t>{}
                                         : std::span<const int32_t>(entry->second);
  }

 private:
  const Vocabulary& vocabulary_;
  TokenMap<std::vector<int32_t>> by_lower_case_;
};

class VectorsReader {
 public:
  VectorsReader(const std::string& path, const Vocabulary& vocabulary,
                std::vector<std::string>* words = nullptr)
      : lines_(path), targets_(vocabulary), size_(vocabulary.size()), words_(words) {
    result_.found.resize(static_cast<size_t>(size_));
  }

  Vectors read() {
    while (auto line = lines_.next()) read_line(trim_right(*line));
    if (num_rows_ == 0)
      throw_error<DataError>("{}: no vectors, expected lines of a word and its numbers", path());
    if (num_rows_ < announced_) {
      throw_error<DataError>("{}:{}: the file ends after {} vectors, its first line says {}; it may be cut",
                             path(), lines_.line(), num_rows_, announced_);
    }
    for (uint8_t& found : result_.found) found = found != 0 ? 1 : 0;
    result_.num_found = std::count(result_.found.begin(), result_.found.end(), 1);
    return std::move(result_);
  }

 private:
  const std::string& path() const { return lines_.path(); }

  void read_line(std::string_view line) {
    if (lines_.line() == 1 && read_header(line)) return;
    if (result_.dimension == 0) set_dimension(std::max<int64_t>(count_columns(line) - 1, 0));
    columns_.clear();
    const std::string_view word = split(line);
    if (words_ != nullptr && is_valid_utf8(word)) words_->emplace_back(word);
    // Not before a line really had that many columns: a header can say anything.
    if (num_rows_++ == 0) result_.values.resize(static_cast<size_t>(size_ * result_.dimension));
    const int32_t id = targets_.exact(word);
    if (id >= 0) store(id, kExact);
    for (const int32_t other : targets_.by_lower_case(word)) store(other, kByLowerCase);
  }

  /// True if `line` is word2vec's header.
  bool read_header(std::string_view line) {
    const int64_t num_columns = count_columns(line);
    if (num_columns != 2) return false;
    const auto dimension = whole_number(take_last_column(line));
    const auto count = whole_number(line);
    if (!dimension || !count) return false;
    if (*count < 0) throw_error<DataError>("{}:1: {} vectors announced", path(), *count);
    announced_ = *count;
    set_dimension(*dimension);
    return true;
  }

  void set_dimension(int64_t dimension) {
    if (dimension < 1 || dimension > kMaxDimension) {
      throw_error<DataError>("{}:{}: vectors of {} numbers, expected 1 to {}; is this a file of vectors?",
                             path(), lines_.line(), dimension, kMaxDimension);
    }
    result_.dimension = dimension;
  }

  /// Cuts the numbers off `line` into columns_, the last first; the rest is the word.
  std::string_view split(std::string_view line) {
    const std::string_view whole = line;
    for (int64_t i = 0; i < result_.dimension && !line.empty(); ++i)
      columns_.push_back(take_last_column(line));
    std::string_view rest = line;
    // A surplus number is a surplus column; other words with blanks are words (GloVe 840B: ". . .").
    const bool has_surplus = count_columns(line) > 1 && number(take_last_column(rest)).has_value();
    if (line.empty() || has_surplus) {
      throw_error<DataError>("{}:{}: {} columns, expected a word and {} numbers", path(), lines_.line(),
                             count_columns(whole), result_.dimension);
    }
    return line;
  }

  void store(int32_t id, uint8_t how) {
    uint8_t& found = result_.found[static_cast<size_t>(id)];
    if (found == kExact || found == how) return;
    found = how;
    float* row = result_.values.data() + id * result_.dimension;
    for (size_t i = 0; i < columns_.size(); ++i) row[columns_.size() - 1 - i] = parse(columns_[i]);
  }

  float parse(std::string_view text) const {
    const auto value = number(text);
    const float result = value ? static_cast<float>(*value) : 0.0F;
    if (value && std::isfinite(result)) return result;
    throw_error<DataError>("{}:{}: \"{}\" is no finite number", path(), lines_.line(), text.substr(0, 40));
  }

  LineReader lines_;
  Targets targets_;
  int64_t size_;
  std::vector<std::string>* words_;  // of all lines, where they are wanted
  int64_t announced_ = 0;
  int64_t num_rows_ = 0;
  std::vector<std::string_view> columns_;
  Vectors result_;
};

}  // namespace

Vectors read_vectors(const std::string& path, const Vocabulary& vocabulary) {
  return VectorsReader(path, vocabulary).read();
}

std::vector<std::string> vector_words(const std::string& path) {
  std::vector<std::string> words;
  VectorsReader(path, Vocabulary(), &words).read();
  return words;
}

}  // namespace rondo
