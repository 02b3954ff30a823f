// How a word is written: what a tagger may learn names from.
//   casing_of("Lovelace") == Casing::kInitial
#pragma once

#include <cstdint>
#include <string_view>

namespace rondo {

/// lower: letters, none of them upper. upper: all upper, two at least. initial: the first letter alone is
/// upper ("A" is too). mixed: other places are. numeric: digits, and no letter; at most signs beside them.
/// other: neither letters nor digits.
enum class Casing : uint8_t { kLower, kUpper, kInitial, kMixed, kNumeric, kOther };
inline constexpr int64_t kNumCasings = 6;

/// @param word  UTF-8. Letters of scripts without case count as lower.
/// @throws DataError with the offset if it is no UTF-8.
Casing casing_of(std::string_view word);

}  // namespace rondo
