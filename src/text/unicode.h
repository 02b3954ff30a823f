// UTF-8 text: checked, repaired, normalised, lower-cased.
//   if (!is_valid_utf8(line, &offset)) line = replace_invalid_utf8(line);
//   std::string key = lower_case(normalize(line));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rondo {

/// True if `text` is well-formed UTF-8 (no overlong form, no surrogate, nothing above U+10FFFF); otherwise
/// `error_offset` receives the position of the first byte that is wrong or whose sequence is cut.
bool is_valid_utf8(std::string_view text, size_t* error_offset = nullptr);

/// `text` with U+FFFD in place of every maximal subpart of an ill-formed sequence.
/// Source: The Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal Subparts".
std::string replace_invalid_utf8(std::string_view text);

/// `text` in normalisation form C. A run of more than 64 combining marks, which no language writes, is
/// normalised in pieces of 64: sorting a long one would cost the square of its length.
/// @throws DataError with the offset if `text` is no UTF-8.
std::string normalize(std::string_view text);

/// Every code point replaced by its simple lower case, one for one: U+0130 (Turkish dotted I) becomes i.
/// No language's special rules. @throws DataError with the offset if `text` is no UTF-8.
std::string lower_case(std::string_view text);

/// Lower case as Python's str.lower(): as above, except U+0130 becomes i and U+0307, and a capital sigma at
/// the end of a word becomes U+03C2. @throws DataError with the offset if `text` is no UTF-8.
std::string full_lower_case(std::string_view text);

/// @throws DataError with the offset if `text` is no UTF-8.
void require_utf8(std::string_view text);

/// The code point that starts at `position` of valid UTF-8; `position` moves behind it.
char32_t next_code_point(std::string_view text, size_t& position);

/// Appends `code` to `text` as UTF-8.
void append_code_point(std::string& text, char32_t code);

}  // namespace rondo
