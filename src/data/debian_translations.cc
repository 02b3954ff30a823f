#include "data/debian_translations.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "data/csv.h"
#include "data/wording.h"
#include "text/unicode.h"

namespace rondo {
namespace {

namespace fs = std::filesystem;

// "* item", "- item", and indented "o item", for o is a word of many languages: what stands behind the
// bullet, or nothing.
std::optional<std::string_view> item_of(std::string_view line, bool indented) {
  for (const std::string_view bullet : {"* ", "- ", "+ ", "\u2022 ", "\u2013 "}) {
    if (line.starts_with(bullet)) return trim(line.substr(bullet.size()));
  }
  if (indented && line.starts_with("o ")) return trim(line.substr(2));
  return std::nullopt;
}

void append(std::vector<std::string>& paragraphs, bool begins, std::string_view text) {
  if (begins || paragraphs.empty()) {
    paragraphs.emplace_back(text);
  } else {
    paragraphs.back() += ' ';
    paragraphs.back() += text;
  }
}

bool is_capital(std::string_view rest) {
  const auto first = static_cast<unsigned char>(rest.front());
  // Two bytes of UTF-8 from C3 80 to C3 9E: the capitals of Latin-1.
  const bool accented = first == 0xC3 && rest.size() > 1 && static_cast<unsigned char>(rest[1]) <= 0x9E;
  return (first >= 'A' && first <= 'Z') || accented;
}

std::string in_shell_quotes(const std::string& path) {
  std::string quoted = "'";
  for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// apt keeps its lists as they came or packed by any of its methods; its own helper opens them all.
void read_list(const std::string& path, const std::string& language, Descriptions& descriptions) {
  const std::string ending = fs::path(path).extension().string();
  if (ending != ".lz4" && ending != ".xz" && ending != ".zst" && ending != ".bz2" && ending != ".lzma") {
    LineReader lines(path);
    return parse_translations([&] { return lines.next(); }, language, descriptions);
  }
  CommandOutput lines("/usr/lib/apt/apt-helper cat-file " + in_shell_quotes(path) + " 2>/dev/null");
  parse_translations([&] { return lines.next(); }, language, descriptions);
  const int status = lines.close();
  if (status != 0) {
    throw_error<IoError>("{}: /usr/lib/apt/apt-helper cannot read it (exit status {}); is apt installed?",
                         path, status);
  }
}

std::vector<std::string> list_files(const std::string& folder, const std::string& language) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string wanted = "Translation-" + language;
    const size_t at = name.rfind(wanted);
    if (at == std::string::npos) continue;
    const std::string rest = name.substr(at + wanted.size());
    if (rest.empty() || rest.front() == '.') files.push_back(entry->path().string());
  }
  if (error) throw_error<IoError>("{}: {}; check --lists", folder, error.message());
  std::ranges::sort(files);
  return files;
}

Descriptions read_lists(const DebianTranslationsOptions& options, const std::string& language) {
  const std::vector<std::string> files = list_files(options.lists, language);
  if (files.empty()) {
    throw_error<DataError>(
        "{}: there is no Translation-{} in it; fetch it: mkdir -p lists/partial; apt-get update -o "
        "Acquire::Languages=en,{} -o Dir::State::Lists=$PWD/lists; and give --lists lists",
        options.lists, language, options.language);
  }
  Descriptions descriptions;
  for (const std::string& file : files) read_list(file, language, descriptions);
  if (descriptions.empty()) throw_error<DataError>("{}: no description in it", short_list(files));
  return descriptions;
}

/// Takes pairs that teach something, each once.
class PairFilter {
 public:
  explicit PairFilter(std::vector<TranslatedText>& pairs) : pairs_(pairs) {}

  void add(std::string_view package, const std::string& source, const std::string& target) {
    if (source == target || source.empty() || target.empty() || !alike(source.size(), target.size())) return;
    if (!seen_.emplace(source, target).second) return;
    pairs_.push_back({.package = std::string(package), .source = source, .target = target});
  }

 private:
  // Of texts this far apart one says something else than the other.
  static bool alike(size_t a, size_t b) {
    constexpr double kMostRatio = 2.5;
    constexpr double kFewBytes = 30;
    const auto [low, high] = std::minmax(a, b);
    return static_cast<double>(high) <= kMostRatio * static_cast<double>(low) + kFewBytes;
  }

  std::vector<TranslatedText>& pairs_;
  std::set<std::pair<std::string, std::string>> seen_;
};

void check_language(const std::string& language) {
  const bool good = !language.empty() && std::ranges::all_of(language, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '@';
  });
  if (!good) throw_error<ConfigError>("language must be a name such as fr or pt_BR, got '{}'", language);
  if (language == "en") throw_error<ConfigError>("language is en, which is the source; give the target");
}

}  // namespace

void parse_translations(const std::function<std::optional<std::string>()>& next_line,
                        const std::string& language, Descriptions& descriptions) {
  const std::string field = "Description-" + language + ":";
  std::string package, md5, text;
  bool inside = false;  // the lines that continue the description
  for (bool ended = false; !ended;) {
    const std::optional<std::string> line = next_line();
    ended = !line;
    if (ended || line->empty()) {
      if (!package.empty() && !md5.empty() && !text.empty()) {
        descriptions.try_emplace(package + " " + md5, replace_invalid_utf8(text));
      }
      package.clear();
      md5.clear();
      text.clear();
      inside = false;
      continue;
    }
    const std::string_view view = *line;
    if (view.front() == ' ' || view.front() == '\t') {
      if (inside) text.append("\n").append(view);
      continue;
    }
    inside = view.starts_with(field);
    if (inside) text = trim(view.substr(field.size()));
    if (view.starts_with("Package:")) package = trim(view.substr(8));
    if (view.starts_with("Description-md5:")) md5 = trim(view.substr(16));
  }
}

std::vector<std::string> paragraphs_of(std::string_view description) {
  std::vector<std::string> paragraphs;
  bool begins = true, indented = false;
  for (size_t line = 0; !description.empty() || line == 0; ++line) {
    const size_t end = std::min(description.find('\n'), description.size());
    std::string_view text = description.substr(0, end);
    description.remove_prefix(std::min(end + 1, description.size()));
    if (line == 1) begins = true;
    const bool deeper = text.starts_with("  ") || text.starts_with(" \t");
    text = trim(text);
    if (text.empty() || (text == "." && line > 0)) {
      begins = true;
      continue;
    }
    const std::optional<std::string_view> item = line > 0 ? item_of(text, deeper) : std::nullopt;
    append(paragraphs, begins || item || (indented && !deeper), item.value_or(text));
    begins = false;
    indented = deeper;
  }
  return paragraphs;
}

std::vector<std::string> sentences_of(const std::string& paragraph) {
  std::vector<std::string> sentences;
  size_t begin = 0;
  for (size_t i = 0; i + 2 < paragraph.size(); ++i) {
    const char c = paragraph[i];
    if ((c != '.' && c != '!' && c != '?') || paragraph[i + 1] != ' ') continue;
    if (!is_capital(std::string_view(paragraph).substr(i + 2))) continue;
    sentences.push_back(paragraph.substr(begin, i + 1 - begin));
    begin = i + 2;
  }
  sentences.push_back(paragraph.substr(begin));
  return sentences;
}

std::vector<TranslatedText> pair_descriptions(const Descriptions& source, const Descriptions& target,
                                              bool sentences) {
  std::vector<TranslatedText> pairs;
  PairFilter filter(pairs);
  for (const auto& [key, translated] : target) {
    const auto english = source.find(key);
    if (english == source.end()) continue;
    const std::string package = key.substr(0, key.find(' '));
    std::vector<std::string> from = paragraphs_of(english->second), to = paragraphs_of(translated);
    if (from.size() != to.size()) {
      from.resize(std::min<size_t>(from.size(), 1));
      to.resize(std::min<size_t>(to.size(), 1));
    }
    for (size_t i = 0; i < std::min(from.size(), to.size()); ++i) {
      const std::vector<std::string> a = sentences_of(from[i]), b = sentences_of(to[i]);
      if (!sentences || a.size() != b.size()) {
        filter.add(package, from[i], to[i]);
        continue;
      }
      for (size_t s = 0; s < a.size(); ++s) filter.add(package, a[s], b[s]);
    }
  }
  return pairs;
}

std::vector<TranslatedText> debian_translations(const DebianTranslationsOptions& options) {
  check_language(options.language);
  const Descriptions target = read_lists(options, options.language);
  std::vector<TranslatedText> pairs = pair_descriptions(read_lists(options, "en"), target, options.sentences);
  if (!pairs.empty()) return pairs;
  throw_error<DataError>(
      "{}: no description stands in Translation-en and in Translation-{} under one name and checksum; "
      "fetch both lists together",
      options.lists, options.language);
}

std::vector<WrittenFile> write_debian_translations(const std::vector<TranslatedText>& pairs,
                                                   const DebianTranslationsOptions& options) {
  std::vector<PackageCells> rows;
  for (const TranslatedText& pair : pairs) rows.push_back({pair.package, pair.source, pair.target});
  return write_package_table({"source", "target"}, rows, {.output = options.output, .split = options.split});
}

}  // namespace rondo
