#include "storage/json_text.h"

#include "base/errors.h"

namespace rondo {

namespace {

// Copying and printing a JSON value recurse: a deep one would overflow the stack.
constexpr int kMaxDepth = 64;

nlohmann::json parse(const std::string& text, const std::string& part, int max_depth) {
  // nlohmann-json takes a zero byte for the end and would not look at what follows it.
  if (text.find('\0') != std::string::npos) throw_error<FormatError>("{}: a zero byte", part);
  const auto check_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > max_depth) throw_error<FormatError>("{}: nested deeper than {}", part, max_depth);
    return true;
  };
  try {
    return nlohmann::json::parse(text, check_depth);
  } catch (const nlohmann::json::parse_error& error) {
    throw_error<FormatError>("{}: no valid JSON at character {}: the file is damaged", part, error.byte);
  } catch (const nlohmann::json::exception&) {  // a number too large for a double
    throw_error<FormatError>("{}: no valid JSON: the file is damaged", part);
  }
}

}  // namespace

std::string json_text(const nlohmann::json& json, const std::string& part) {
  try {
    return json.dump();
  } catch (const nlohmann::json::exception&) {
    throw_error<FormatError>("{}: a text in it is not UTF-8", part);
  }
}

std::string json_list_text(const std::vector<std::string>& list, const std::string& part) {
  // Item by item: a JSON value of a large vocabulary would take several times its text.
  std::string text = "[";
  for (size_t i = 0; i < list.size(); ++i) {
    if (i > 0) text += ',';
    text += json_text(list[i], fmt::format("{}[{}]", part, i));
  }
  return text += ']';
}

nlohmann::json parse_json_object(const std::string& text, const std::string& part) {
  nlohmann::json json = parse(text, part, kMaxDepth);
  if (!json.is_object()) throw_error<FormatError>("{}: must be an object, got {}", part, json.type_name());
  return json;
}

std::vector<std::string> parse_json_list(const std::string& text, const std::string& part) {
  nlohmann::json json = parse(text, part, 1);
  if (!json.is_array()) throw_error<FormatError>("{}: must be a list, got {}", part, json.type_name());
  std::vector<std::string> list;
  list.reserve(json.size());
  for (nlohmann::json& item : json) {
    if (!item.is_string()) {
      throw_error<FormatError>("{}[{}]: must be text, got {}", part, list.size(), item.type_name());
    }
    list.push_back(std::move(item.get_ref<std::string&>()));
  }
  return list;
}

}  // namespace rondo
