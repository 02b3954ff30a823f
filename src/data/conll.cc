#include "data/conll.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "data/wording.h"
#include "text/unicode.h"

namespace rondo {

namespace {

constexpr std::string_view kMark = "\xEF\xBB\xBF";  // the byte order mark of UTF-8
constexpr std::string_view kConlluNames[] = {"id",    "form", "lemma",  "upos", "xpos",
                                             "feats", "head", "deprel", "deps", "misc"};
constexpr size_t kConlluColumns = std::size(kConlluNames);
constexpr std::string_view kSpace = " \t\n\v\f\r";

using Cells = std::vector<std::string_view>;

std::optional<int64_t> as_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

Cells split(std::string_view line, bool tabs) {
  Cells cells;
  if (!tabs) {
    for (size_t begin = line.find_first_not_of(' '); begin != std::string_view::npos;
         begin = line.find_first_not_of(' ', begin)) {
      const size_t end = std::min(line.find(' ', begin), line.size());
      cells.push_back(line.substr(begin, end - begin));
      begin = end;
    }
    return cells;
  }
  size_t begin = 0;
  for (size_t end = line.find('\t'); end != std::string_view::npos; end = line.find('\t', begin)) {
    cells.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  cells.push_back(line.substr(begin));
  return cells;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(kSpace) == std::string_view::npos; }

/// What the first column of CoNLL-U says of its line.
struct ConlluId {
  enum Kind { kWord, kRange, kEmptyNode, kWrong } kind = kWrong;
  int64_t number = 0;

  explicit ConlluId(std::string_view text) {
    const size_t mark = text.find_first_of("-.");
    const auto first = as_number(text.substr(0, mark));
    if (!first || *first < 0) return;
    number = *first;
    if (mark == std::string_view::npos) {
      if (number > 0) kind = kWord;
      return;
    }
    const auto second = as_number(text.substr(mark + 1));
    if (!second) return;
    if (text[mark] == '-' && number > 0 && *second >= number) kind = kRange;
    if (text[mark] == '.' && *second > 0) kind = kEmptyNode;
  }
};

}  // namespace

/// Goes through a file's lines once. The first line with columns says what the file is.
class ConllParser {
 public:
  ConllParser(ConllFile& file, ConllOptions options) : file_(file), options_(std::move(options)) {
    if (file.bytes_.starts_with("\xFF\xFE") || file.bytes_.starts_with("\xFE\xFF")) {
      throw_error<DataError>("{}: the file is UTF-16, expected UTF-8; convert it: iconv -f UTF-16 -t UTF-8",
                             file.name_);
    }
    const bool named = file.name_.ends_with(".conllu") || file.name_.ends_with(".conllu.gz");
    const bool any = options_.format == ConllFormat::kAuto;
    file_.conllu_ = options_.format == ConllFormat::kConllu || (any && (named || first_columns_are_conllu()));
  }

  void parse() {
    const std::string_view bytes = file_.bytes_;
    size_t begin = bytes.starts_with(kMark) ? kMark.size() : 0;
    while (begin < bytes.size()) {
      size_t end = std::min(bytes.find('\n', begin), bytes.size());
      const size_t next = end + 1;
      if (end > begin && bytes[end - 1] == '\r') --end;
      ++line_;
      read_line(bytes.substr(begin, end - begin));
      begin = next;
    }
    add_documents();
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw_error<DataError>("{}:{}: {}", file_.name_, line_, fmt::format(format, std::forward<Args>(args)...));
  }

  void read_line(std::string_view line) {
    if (is_blank(line)) return end_sentence();
    if ((options_.comments || file_.conllu_) && line.starts_with('#')) return;
    if (!file_.conllu_ && is_document(line.substr(0, line.find_first_of(" \t")))) {
      documents_.push_back(line);
      return end_sentence();
    }
    if (columns_ == 0) begin_columns(line);
    const Cells cells = split(line, file_.tabs_);
    if (cells.size() != columns_) fail_columns(line, cells.size());
    if (!file_.conllu_ || is_word(cells[0])) add_token(cells);
  }

  bool first_columns_are_conllu() const {
    std::string_view rest = std::string_view(file_.bytes_);
    if (rest.starts_with(kMark)) rest.remove_prefix(kMark.size());
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      if (!is_blank(line) && !line.starts_with('#')) {
        const Cells cells = split(line, true);
        return cells.size() == kConlluColumns && ConlluId(cells[0]).kind != ConlluId::kWrong &&
               ConlluId(cells[0]).number <= 1;
      }
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    }
    return false;
  }

  void begin_columns(std::string_view line) {
    file_.tabs_ = file_.conllu_ || line.find('\t') != std::string_view::npos;
    columns_ = file_.conllu_ ? kConlluColumns : split(line, file_.tabs_).size();
    token_ = column(options_.token_column, otherwise(options_.usual.token, file_.conllu_ ? "form" : "1"),
                    "token-column");
    const bool alone = columns_ == 1 && options_.tag_column.empty();
    file_.has_tags_ = options_.tag_column != "none" && !alone;
    if (file_.has_tags_) {
      tag_ = column(options_.tag_column, otherwise(options_.usual.tag, file_.conllu_ ? "upos" : "-1"),
                    "tag-column");
    }
    if (file_.has_tags_ && tag_ == token_) {
      throw_error<ConfigError>(
          "{}: column {} is asked for as the token and as the tag; "
          "check --token-column and --tag-column",
          file_.name_, token_ + 1);
    }
  }

  // What an option that is left empty means.
  std::string_view otherwise(const std::string& usual, std::string_view standard) const {
    return usual.empty() || options_.usual.conllu != file_.conllu_ ? standard : std::string_view(usual);
  }

  size_t column(const std::string& asked, std::string_view otherwise, const char* option) const {
    const std::string_view text = asked.empty() ? otherwise : std::string_view(asked);
    const auto name = std::ranges::find(kConlluNames, text);
    if (file_.conllu_ && name != std::end(kConlluNames)) return name - std::begin(kConlluNames);
    const auto number = as_number(text);
    const auto count = static_cast<int64_t>(columns_);
    if (!number || *number == 0 || *number < -count || *number > count) {
      throw_error<ConfigError>(
          "{}: no column '{}', there are {}; give --{} as a number from 1, or from the end -1{}", file_.name_,
          shorten(text), columns_, option, file_.conllu_ ? ", or a name as form or upos" : "");
    }
    return *number > 0 ? *number - 1 : count + *number;
  }

  [[noreturn]] void fail_columns(std::string_view line, size_t count) const {
    if (line.starts_with('#') && !file_.conllu_) {
      fail("{} columns, expected {}; if lines with # are comments here, set --comments", count, columns_);
    }
    fail("{} columns, expected {}, parted by {}: '{}'", count, columns_, file_.tabs_ ? "tabs" : "spaces",
         shorten(quotable(line)));
  }

  static std::string quotable(std::string_view text) { return replace_invalid_utf8(text.substr(0, 400)); }

  bool is_word(std::string_view cell) {
    const ConlluId id(cell);
    if (id.kind == ConlluId::kWrong) {
      fail("'{}' is no word's number, as 3, 3-4 or 8.1", shorten(quotable(cell)));
    }
    if (id.kind != ConlluId::kWord) return false;
    const int64_t expected = in_sentence_ ? std::ssize(file_.sentences_.back().tokens) + 1 : 1;
    if (id.number != expected) {
      fail("word {} where {} is due; a blank line must part sentences", id.number, expected);
    }
    return true;
  }

  static bool is_document(std::string_view cell) { return cell == "-DOCSTART-"; }

  std::string checked(std::string_view cell) const {
    size_t offset = 0;
    if (is_valid_utf8(cell, &offset)) return std::string(cell);
    if (options_.replace_invalid) return replace_invalid_utf8(cell);
    fail(
        "byte 0x{:02X} in '{}' is not UTF-8; convert the file (iconv -f WINDOWS-1252 -t UTF-8) "
        "or set --replace-invalid",
        static_cast<unsigned>(static_cast<unsigned char>(cell[offset])), shorten(quotable(cell)));
  }

  // Where a cell begins and ends in the file's bytes.
  std::pair<size_t, size_t> place_of(std::string_view cell) const {
    const auto begin = static_cast<size_t>(cell.data() - file_.bytes_.data());
    return {begin, begin + cell.size()};
  }

  void add_token(const Cells& cells) {
    if (cells[token_].empty()) fail("column {}, the token, is empty", token_ + 1);
    if (!in_sentence_) file_.sentences_.push_back({.line = line_});
    in_sentence_ = true;
    ConllSentence& sentence = file_.sentences_.back();
    sentence.tokens.push_back(checked(cells[token_]));
    ConllFile::Place place{.columns_end = place_of(cells.back()).second};
    if (file_.has_tags_) {
      const std::string_view tag = cells[tag_];
      if (tag.empty()) fail("column {}, the tag, is empty", tag_ + 1);
      sentence.tags.push_back(checked(tag));
      std::tie(place.tag_begin, place.tag_end) = place_of(tag);
    }
    file_.places_.push_back(place);
  }

  void end_sentence() { in_sentence_ = false; }

  // How wide the file is may be known behind the first of them only.
  void add_documents() {
    for (const std::string_view line : documents_) {
      const Cells cells = split(line, file_.tabs_);
      if (cells.size() != columns_) continue;
      const auto [begin, end] = place_of(cells.back());
      file_.documents_.push_back({.tag_begin = begin, .tag_end = end, .columns_end = end});
    }
  }

  ConllFile& file_;
  ConllOptions options_;
  int64_t line_ = 0;
  size_t columns_ = 0;  // 0: no line with columns yet
  size_t token_ = 0, tag_ = 0;
  bool in_sentence_ = false;
  std::vector<std::string_view> documents_;  // lines, in the file's bytes
};

ConllFile::ConllFile(const std::string& path, ConllOptions options)
    : ConllFile(parse(read_file(path), input_name(path), std::move(options))) {}

ConllFile ConllFile::parse(std::string bytes, std::string name, ConllOptions options) {
  ConllFile file;
  file.bytes_ = std::move(bytes);
  file.name_ = std::move(name);
  ConllParser(file, std::move(options)).parse();
  return file;
}

void ConllFile::check_tags(std::span<const std::vector<std::string>> tags, TagPlace place) const {
  if (place == TagPlace::kAppend && conllu_) {
    throw_error<ConfigError>("{}: CoNLL-U has ten columns, an eleventh cannot be added; replace one", name_);
  }
  if (place == TagPlace::kReplace && !has_tags_ && !places_.empty()) {
    throw_error<ConfigError>("{}: there is no column of tags to replace; add one, or choose --tag-column",
                             name_);
  }
  if (tags.size() != sentences_.size()) {
    throw_error<DataError>("{}: tags for {} sentences, expected {}", name_, tags.size(), sentences_.size());
  }
  for (size_t i = 0; i < tags.size(); ++i) {
    if (tags[i].size() != sentences_[i].tokens.size()) {
      throw_error<DataError>("{}:{}: {} tags for a sentence of {} tokens", name_, sentences_[i].line,
                             tags[i].size(), sentences_[i].tokens.size());
    }
    for (const std::string& tag : tags[i]) {
      if (!tag.empty() && tag.find_first_of(kSpace) == std::string::npos) continue;
      throw_error<DataError>(
          "{}:{}: '{}' cannot stand in a column; a tag is not empty and has no white space", name_,
          sentences_[i].line, shorten(tag));
    }
  }
}

std::string ConllFile::with_tags(std::span<const std::vector<std::string>> tags, TagPlace place) const {
  check_tags(tags, place);
  if (place == TagPlace::kAppend) return with_column(tags);
  std::string result;
  result.reserve(bytes_.size() + 8 * places_.size());
  size_t done = 0;
  auto next = places_.begin();
  for (size_t i = 0; i < tags.size(); ++i) {
    for (size_t j = 0; j < tags[i].size(); ++j, ++next) {
      result.append(bytes_, done, next->tag_begin - done);
      done = next->tag_end;
      // What was repaired on reading stays as it was unless the tag is another.
      const bool same = tags[i][j] == sentences_[i].tags[j];
      result.append(same ? bytes_.substr(next->tag_begin, next->tag_end - next->tag_begin) : tags[i][j]);
    }
  }
  return result.append(bytes_, done);
}

std::string ConllFile::with_column(std::span<const std::vector<std::string>> tags) const {
  std::string result;
  result.reserve(bytes_.size() + 8 * places_.size());
  size_t done = 0;
  const auto add = [&](size_t columns_end, std::string_view tag) {
    result.append(bytes_, done, columns_end - done);
    result.push_back(tabs_ ? '\t' : ' ');
    result.append(tag);
    done = columns_end;
  };
  auto document = documents_.begin();
  const auto add_documents = [&](size_t before) {
    for (; document != documents_.end() && document->columns_end < before; ++document) {
      const size_t size = document->tag_end - document->tag_begin;
      add(document->columns_end,
          has_tags_ ? std::string_view(bytes_).substr(document->tag_begin, size) : "O");
    }
  };
  auto next = places_.begin();
  for (const std::vector<std::string>& sentence : tags) {
    for (const std::string& tag : sentence) {
      add_documents(next->columns_end);
      add(next++->columns_end, tag);
    }
  }
  add_documents(bytes_.size() + 1);
  return result.append(bytes_, done);
}

}  // namespace rondo
