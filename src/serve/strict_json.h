// JSON from strangers: one object, shallow, no key twice, UTF-8.
//   nlohmann::json body = parse_strict_object(bytes);
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace rondo::serve {

/// Objects and lists inside each other; no request needs more than three.
inline constexpr int kMostDepth = 8;

/// @throws Refusal (400) that names the byte: no JSON, no object, deeper than kMostDepth, a key given twice,
/// a number that no double holds, half a surrogate pair, or bytes that are not UTF-8. Cost: time and memory
/// in proportion to the bytes, whatever they are.
nlohmann::json parse_strict_object(std::string_view bytes);

/// As text, with U+FFFD for what is not UTF-8: never throws for its content.
std::string to_text(const nlohmann::json& json);
std::string to_text(const nlohmann::ordered_json& json);

}  // namespace rondo::serve
