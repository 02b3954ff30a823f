// JSON that stands as text in a file's metadata: made and read with errors that name the part.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace rondo {

/// @param part  for messages, e.g. "config".
/// @throws FormatError if a text in it is not UTF-8.
std::string json_text(const nlohmann::json& json, const std::string& part);

/// ["a", "b"]. @throws FormatError that names the first text which is not UTF-8 by its index.
std::string json_list_text(const std::vector<std::string>& list, const std::string& part);

/// @throws FormatError: no JSON, no object, or nested deeper than any of ours.
nlohmann::json parse_json_object(const std::string& text, const std::string& part);

/// @throws FormatError: no JSON, or anything but a list of texts.
std::vector<std::string> parse_json_list(const std::string& text, const std::string& part);

}  // namespace rondo
