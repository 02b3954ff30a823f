#include "inspect/raw_lines.h"

#include <array>

#include "base/files.h"
#include "text/unicode.h"

namespace rondo {

namespace {

/// Lines of one kind: how many, and the first ones.
struct Lines {
  int64_t count = 0;
  std::vector<int64_t> first;

  void add(int64_t line) {
    if (count++ < static_cast<int64_t>(Finding::kMostPlaces)) first.push_back(line);
  }
};

struct RawLines {
  int64_t lines = 0, beyond_ascii = 0;  ///< beyond_ascii: valid UTF-8 all the same
  bool mark = false;                    ///< the file begins with a byte order mark
  Lines invalid, marks, controls, replaced, mojibake, markup;
};

// The code point that Windows-1252 shows for the bytes 0x80 to 0xBF: what continues a character in UTF-8.
bool continues_in_1252(char32_t code) {
  static constexpr char32_t kMoved[] = {0x20AC, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                        0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x017D, 0x2018,
                                        0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
                                        0x2122, 0x0161, 0x203A, 0x0153, 0x017E, 0x0178};
  if (code >= 0x80 && code <= 0xBF) return true;
  for (const char32_t moved : kMoved) {
    if (code == moved) return true;
  }
  return false;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// "&amp;", "&#39;", what a tokenizer left of one (" #39;"), or a tag such as <br> or </b>.
bool has_markup(std::string_view line) {
  for (const char* entity : {"&amp;", "&lt;", "&gt;", "&quot;", "&nbsp;", "&apos;", "#39;", "<br>", "<br "}) {
    if (line.find(entity) != std::string_view::npos) return true;
  }
  const size_t end_tag = line.find("</");
  return end_tag != std::string_view::npos && end_tag + 2 < line.size() && is_letter(line[end_tag + 2]);
}

void look_at(std::string_view line, int64_t number, RawLines& found) {
  if (!is_valid_utf8(line)) {
    found.invalid.add(number);
    return;
  }
  bool beyond = false, control = false;
  for (const char c : line) {
    const auto byte = static_cast<unsigned char>(c);
    beyond = beyond || byte >= 0x80;
    control = control || (byte < 0x20 && byte != '\t') || byte == 0x7F;
  }
  if (control) found.controls.add(number);
  if (has_markup(line)) found.markup.add(number);
  if (!beyond) return;
  ++found.beyond_ascii;
  if (line.find("\xEF\xBB\xBF") != std::string_view::npos) found.marks.add(number);
  if (line.find("\xEF\xBF\xBD") != std::string_view::npos) found.replaced.add(number);
  if (has_mojibake(line)) found.mojibake.add(number);
}

RawLines read_raw(const std::string& path) {
  RawLines found;
  {
    std::array<char, 3> begin{};
    ByteReader reader(path);
    const size_t got = reader.read(begin);
    found.mark = std::string_view(begin.data(), got) == "\xEF\xBB\xBF";
  }
  LineReader lines(path);
  while (const std::optional<std::string> line = lines.next()) {
    ++found.lines;
    if (!line->empty()) look_at(*line, lines.line(), found);
  }
  return found;
}

std::vector<std::string> places(const std::string& path, const Lines& lines) {
  std::vector<std::string> result;
  for (const int64_t line : lines.first) result.push_back(path + ":" + std::to_string(line));
  return result;
}

}  // namespace

bool has_mojibake(std::string_view line) {
  for (size_t at = 0; at < line.size();) {
    const char32_t lead = next_code_point(line, at);
    // Of what begins a character in UTF-8, those that texts hold: two bytes (C2 to DF) and E2, E3, F0.
    if (lead != 0xC2 && lead != 0xC3 && lead != 0xE2 && lead != 0xF0) continue;
    size_t behind = at;
    if (behind >= line.size()) return false;
    const char32_t first = next_code_point(line, behind);
    if (!continues_in_1252(first)) continue;
    // A capital A with a tilde before a quotation mark may be meant; three in a row may not.
    if (lead == 0xC3 || (lead == 0xC2 && first >= 0xA0 && first <= 0xBF)) return true;
    if (behind < line.size() && continues_in_1252(next_code_point(line, behind))) return true;
  }
  return false;
}

void check_raw_lines(const std::string& path, Diagnosis& diagnosis) {
  const RawLines found = read_raw(path);
  const auto add = [&](Severity severity, const char* check, const Lines& lines, const char* what,
                       const char* advice) {
    if (lines.count == 0) return;
    diagnosis.findings.push_back({severity, check,
                                  part_of(lines.count, found.lines, "lines of " + path) + " " + what,
                                  places(path, lines), advice});
  };
  add(Severity::kProblem, "encoding", found.invalid, "hold bytes that are not UTF-8",
      found.beyond_ascii > 0
          ? "other lines hold valid UTF-8, so the file mixes encodings: convert what was pasted in (iconv -f "
            "WINDOWS-1252 -t UTF-8), or train with --replace-invalid, which puts U+FFFD in their place."
          : "convert the file (iconv -f WINDOWS-1252 -t UTF-8), or train with --replace-invalid, which puts "
            "U+FFFD "
            "in their place.");
  add(Severity::kWarning, "encoding", found.mojibake,
      "look like UTF-8 that was read as Windows-1252 (mojibake)",
      "read the source of these texts as UTF-8 and write the file again; a model learns the broken words as "
      "words of their own.");
  add(Severity::kWarning, "encoding", found.replaced,
      "hold U+FFFD, the mark of bytes that were lost in an earlier conversion",
      "convert the source of these texts again, with its true encoding.");
  add(Severity::kWarning, "characters", found.controls, "hold control characters",
      "take them out (tr -d '\\000-\\010\\013-\\037'); a tokenizer of characters or bytes learns them.");
  add(Severity::kNote, "characters", found.marks, "hold a byte order mark in their middle",
      "files were joined with their marks: take U+FEFF out.");
  add(Severity::kNote, "markup", found.markup, "hold HTML entities or tags",
      "decode the entities and take the tags out, here and in what the model will read; or leave them, if it "
      "will "
      "read such texts.");
  if (found.mark) {
    diagnosis.findings.push_back({Severity::kNote,
                                  "characters",
                                  path + " begins with a byte order mark",
                                  {path + ":1"},
                                  "nothing: it is left out when the file is read."});
  }
}

}  // namespace rondo
