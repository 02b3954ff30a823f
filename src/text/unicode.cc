#include "text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/errors.h"

namespace rondo {
namespace {

constexpr const char* kReplacement = "\xEF\xBF\xBD";
constexpr char32_t kCapitalDottedI = 0x130;
constexpr char32_t kDotAbove = 0x307;
constexpr char32_t kCapitalSigma = 0x3A3;
constexpr char32_t kSmallSigma = 0x3C3;
constexpr char32_t kFinalSigma = 0x3C2;
constexpr int kMaxMarks = 64;

const auto* bytes_of(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
}

/// Length of the well-formed sequence that starts at text[0], or 0.
size_t sequence_length(std::string_view text) {
  if (static_cast<uint8_t>(text[0]) < 0x80) return 1;
  utf8proc_int32_t code = 0;
  // four bytes are enough, and the length is signed
  const auto length = utf8proc_iterate(
      bytes_of(text), static_cast<utf8proc_ssize_t>(std::min<size_t>(text.size(), 4)), &code);
  return length > 0 ? static_cast<size_t>(length) : 0;
}

/// Length of the ill-formed start of `text` that one U+FFFD stands for: the longest prefix of a well-formed
/// sequence, or one byte.
size_t maximal_subpart(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  size_t wanted = 0;
  uint8_t low = 0x80;  // what the second byte may be: Unicode Standard, table 3-7
  uint8_t high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) wanted = 2;
  if (lead >= 0xE0 && lead <= 0xEF) wanted = 3;
  if (lead >= 0xF0 && lead <= 0xF4) wanted = 4;
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  size_t length = 1;
  while (length < wanted && length < text.size()) {
    const auto byte = static_cast<uint8_t>(text[length]);
    if (byte < low || byte > high) break;
    low = 0x80;
    high = 0xBF;
    ++length;
  }
  return length;
}

/// True for most letters of most texts: code points that normal form C neither changes nor joins with another
/// such one. A test holds this table against utf8proc.
bool is_inert(char32_t code) {
  return code < 0x300 || (code >= 0x388 && code < 0x483) || (code >= 0x48A && code < 0x590) ||
         (code >= 0x2010 && code < 0x2028) || (code >= 0x2030 && code < 0x205F) ||
         (code >= 0x20A0 && code < 0x20C0) || (code >= 0x3041 && code < 0x3097) ||
         (code >= 0x30A1 && code < 0x30FB) || (code >= 0x4E00 && code < 0xA000) ||
         (code >= 0xAC00 && code < 0xD7A4);
}

bool is_surely_normal(std::string_view text) {
  for (size_t position = 0; position < text.size();) {
    if (!is_inert(next_code_point(text, position))) return false;
  }
  return true;
}

void append_normalized(std::string& result, std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto length = utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (length < 0) throw_error<DataError>("text: cannot be normalised: {}", utf8proc_errmsg(length));
  result.append(reinterpret_cast<const char*>(mapped), static_cast<size_t>(length));
}

bool is_mark(char32_t code) {
  return code >= 0x300 && utf8proc_get_property(static_cast<utf8proc_int32_t>(code))->combining_class != 0;
}

/// Cased: letters with a case, and the ordinals, Roman numerals and letters in circles that count as such.
bool is_cased(char32_t code) {
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(code));
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
         category == UTF8PROC_CATEGORY_LT || code == 0xAA || code == 0xBA ||
         (code >= 0x2160 && code < 0x2180) || (code >= 0x24B6 && code < 0x24EA) ||
         (code >= 0x1F130 && code < 0x1F14A) || (code >= 0x1F150 && code < 0x1F16A) ||
         (code >= 0x1F170 && code < 0x1F18A);
}

/// Case_Ignorable: what the search for a word's last letter looks past.
bool is_case_ignorable(char32_t code) {
  constexpr char32_t kInsideWords[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,  0x5F4,  0x2018, 0x2019,
                                       0x2024, 0x2027, 0xFE13, 0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code))) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return std::find(std::begin(kInsideWords), std::end(kInsideWords), code) != std::end(kInsideWords);
  }
}

char32_t small(char32_t code) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(code)));
}

std::string lower_ascii(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

/// True if a cased letter follows `position`, looked for past what is ignorable.
bool cased_follows(std::string_view text, size_t position) {
  while (position < text.size()) {
    const char32_t code = next_code_point(text, position);
    if (!is_case_ignorable(code)) return is_cased(code);
  }
  return false;
}

}  // namespace

bool is_valid_utf8(std::string_view text, size_t* error_offset) {
  size_t position = 0;
  while (position < text.size()) {
    const size_t length = sequence_length(text.substr(position));
    if (length == 0) {
      if (error_offset != nullptr) *error_offset = position;
      return false;
    }
    position += length;
  }
  return true;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    size_t length = sequence_length(text);
    if (length > 0) {
      result.append(text.substr(0, length));
    } else {
      length = maximal_subpart(text);
      result.append(kReplacement);
    }
    text.remove_prefix(length);
  }
  return result;
}

void require_utf8(std::string_view text) {
  size_t offset = 0;
  if (is_valid_utf8(text, &offset)) return;
  throw_error<DataError>("text: byte {} (0x{:02X}) is no UTF-8; convert the file, or let it be repaired",
                         offset, static_cast<unsigned>(static_cast<uint8_t>(text[offset])));
}

std::string normalize(std::string_view text) {
  require_utf8(text);
  if (is_surely_normal(text)) return std::string(text);
  std::string result;
  result.reserve(text.size());
  size_t begin = 0;
  int marks = 0;
  for (size_t position = 0; position < text.size();) {
    marks = is_mark(next_code_point(text, position)) ? marks + 1 : 0;
    if (marks < kMaxMarks) continue;
    append_normalized(result, text.substr(begin, position - begin));
    begin = position;
    marks = 0;
  }
  append_normalized(result, text.substr(begin));
  return result;
}

std::string lower_case(std::string_view text) {
  if (is_ascii(text)) return lower_ascii(text);
  require_utf8(text);
  std::string result;
  result.reserve(text.size());
  for (size_t position = 0; position < text.size();) {
    append_code_point(result, small(next_code_point(text, position)));
  }
  return result;
}

std::string full_lower_case(std::string_view text) {
  if (is_ascii(text)) return lower_ascii(text);
  require_utf8(text);
  std::string result;
  result.reserve(text.size());
  bool after_cased = false;  // the last letter that is not ignorable was cased
  for (size_t position = 0; position < text.size();) {
    const char32_t code = next_code_point(text, position);
    if (code == kCapitalDottedI) {
      append_code_point(result, U'i');
      append_code_point(result, kDotAbove);
    } else if (code == kCapitalSigma) {
      const bool is_final = after_cased && !cased_follows(text, position);
      append_code_point(result, is_final ? kFinalSigma : kSmallSigma);
    } else {
      append_code_point(result, small(code));
    }
    if (!is_case_ignorable(code)) after_cased = is_cased(code);
  }
  return result;
}

char32_t next_code_point(std::string_view text, size_t& position) {
  const auto lead = static_cast<uint8_t>(text[position]);
  if (lead < 0x80) {
    ++position;
    return lead;
  }
  utf8proc_int32_t code = 0;
  const auto left = static_cast<utf8proc_ssize_t>(std::min<size_t>(text.size() - position, 4));
  const auto length = utf8proc_iterate(bytes_of(text) + position, left, &code);
  position += static_cast<size_t>(std::max<utf8proc_ssize_t>(length, 1));
  return static_cast<char32_t>(code);
}

void append_code_point(std::string& text, char32_t code) {
  if (code < 0x80) {
    text.push_back(static_cast<char>(code));
    return;
  }
  utf8proc_uint8_t bytes[4];
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(code), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(length));
}

}  // namespace rondo
