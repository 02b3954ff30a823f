#include "text/casing.h"

#include <utf8proc.h>

#include "text/unicode.h"

namespace rondo {

namespace {

bool is_upper(utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

bool is_letter(utf8proc_category_t category) {
  return is_upper(category) || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LM ||
         category == UTF8PROC_CATEGORY_LO;
}

}  // namespace

Casing casing_of(std::string_view word) {
  require_utf8(word);
  int64_t letters = 0, uppers = 0, digits = 0;
  bool first_is_upper = false;
  for (size_t at = 0; at < word.size();) {
    const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(next_code_point(word, at)));
    digits += category == UTF8PROC_CATEGORY_ND ? 1 : 0;
    if (!is_letter(category)) continue;
    if (letters++ == 0) first_is_upper = is_upper(category);
    uppers += is_upper(category) ? 1 : 0;
  }
  if (letters == 0) return digits > 0 ? Casing::kNumeric : Casing::kOther;
  if (uppers == 0) return Casing::kLower;
  if (uppers == 1 && first_is_upper) return Casing::kInitial;
  return uppers == letters ? Casing::kUpper : Casing::kMixed;
}

}  // namespace rondo
