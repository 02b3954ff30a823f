#include "training/translation_tokenizers.h"

#include <utf8proc.h>

#include <array>
#include <utility>

#include "base/errors.h"
#include "text/unicode.h"

namespace rondo {
namespace {

/// What Python's str.isspace() holds for white space.
bool is_space(char32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 || code == 0xA0 ||
         code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 ||
         code == 0x202F || code == 0x205F || code == 0x3000;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

/// ASCII punctuation and symbols but for ' , - . which the later rules treat.
bool stands_alone(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= '!' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  size_t begin = 0;
  for (size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, begin)) {
    result.append(text.substr(begin, found - begin)).append(to);
    begin = found + from.size();
  }
  return result.append(text.substr(begin));
}

/// Every pair of neighbours that `is_pair` takes, looked for from the left without overlap, is written with a
/// space before its first, between both or behind its second. `Text` is made of bytes or of code points.
template <class Text, class IsPair>
Text part_pairs(const Text& text, IsPair is_pair, bool before, bool behind) {
  Text result;
  size_t i = 0;
  for (; i + 1 < text.size(); ++i) {
    if (!is_pair(text[i], text[i + 1])) {
      result.push_back(text[i]);
      continue;
    }
    if (before) result.push_back(' ');
    result.push_back(text[i]);
    result.push_back(' ');
    result.push_back(text[i + 1]);
    if (behind) result.push_back(' ');
    ++i;
  }
  if (i < text.size()) result.push_back(text[i]);
  return result;
}

/// The rules look at ASCII only, and no byte of a longer code point is ASCII: bytes will do.
std::string cut_13a(std::string_view sentence) {
  std::string text = replace_all(sentence, "<skipped>", "");
  text = replace_all(text, "-\n", "");
  text = replace_all(text, "\n", " ");
  text = replace_all(text, "&quot;", "\"");
  text = replace_all(text, "&amp;", "&");
  text = replace_all(text, "&lt;", "<");
  text = replace_all(text, "&gt;", ">");
  std::string parted = " ";
  for (const char c : text) {
    if (stands_alone(c))
      parted.append({' ', c, ' '});
    else
      parted.push_back(c);
  }
  parted.push_back(' ');
  parted = part_pairs(
      parted, [](char a, char b) { return !is_digit(a) && is_point(b); }, false, true);
  parted = part_pairs(
      parted, [](char a, char b) { return is_point(a) && !is_digit(b); }, true, false);
  return part_pairs(
      parted, [](char a, char b) { return is_digit(a) && b == '-'; }, false, true);
}

std::u32string code_points(std::string_view text) {
  std::u32string codes;
  for (size_t position = 0; position < text.size();) codes.push_back(next_code_point(text, position));
  return codes;
}

utf8proc_category_t category(char32_t code) { return utf8proc_category(static_cast<utf8proc_int32_t>(code)); }
bool is_number(char32_t code) {
  return category(code) >= UTF8PROC_CATEGORY_ND && category(code) <= UTF8PROC_CATEGORY_NO;
}
bool is_punctuation(char32_t code) {
  return category(code) >= UTF8PROC_CATEGORY_PC && category(code) <= UTF8PROC_CATEGORY_PO;
}
bool is_symbol(char32_t code) {
  return category(code) >= UTF8PROC_CATEGORY_SM && category(code) <= UTF8PROC_CATEGORY_SO;
}

std::string cut_intl(std::string_view sentence) {
  std::u32string codes = code_points(sentence);
  codes = part_pairs(
      codes, [](char32_t a, char32_t b) { return !is_number(a) && is_punctuation(b); }, false, true);
  codes = part_pairs(
      codes, [](char32_t a, char32_t b) { return is_punctuation(a) && !is_number(b); }, true, false);
  std::string result;
  for (const char32_t code : codes) {
    if (is_symbol(code)) result.push_back(' ');
    append_code_point(result, code);
    if (is_symbol(code)) result.push_back(' ');
  }
  return result;
}

std::string cut_characters(std::string_view sentence) {
  std::string result;
  for (const char32_t code : code_points(sentence)) {
    append_code_point(result, code);
    result.push_back(' ');
  }
  return result;
}

/// `text` without the white space at its end, which 13a's rule for points would see.
std::string_view without_end(std::string_view text) {
  size_t end = 0;
  for (size_t position = 0; position < text.size();) {
    if (!is_space(next_code_point(text, position))) end = position;
  }
  return text.substr(0, end);
}

}  // namespace

BleuTokenizer parse_bleu_tokenizer(std::string_view name) {
  for (const auto& [value, known] : kNames<BleuTokenizer>) {
    if (known == name) return value;
  }
  throw_error<ConfigError>("bleu: no tokenizer '{}', there are 13a, none, char and intl", name);
}

std::string cut_for_bleu(std::string_view text, BleuTokenizer tokenizer) {
  const std::string_view sentence = without_end(text);
  std::string cut;
  switch (tokenizer) {
    case BleuTokenizer::k13a:
      cut = cut_13a(sentence);
      break;
    case BleuTokenizer::kNone:
      cut = sentence;
      break;
    case BleuTokenizer::kChar:
      cut = cut_characters(sentence);
      break;
    case BleuTokenizer::kIntl:
      cut = cut_intl(sentence);
      break;
  }
  return join_words(split_at_space(cut), " ");
}

std::vector<std::string_view> split_at_space(std::string_view text) {
  std::vector<std::string_view> words;
  size_t begin = 0;
  for (size_t position = 0; position < text.size();) {
    const size_t here = position;
    if (!is_space(next_code_point(text, position))) continue;
    if (here > begin) words.push_back(text.substr(begin, here - begin));
    begin = position;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
  return words;
}

std::string join_words(const std::vector<std::string_view>& words, std::string_view between) {
  std::string joined;
  for (const std::string_view word : words) {
    if (!joined.empty()) joined.append(between);
    joined.append(word);
  }
  return joined;
}

}  // namespace rondo
