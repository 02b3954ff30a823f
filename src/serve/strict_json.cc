#include "serve/strict_json.h"

#include <vector>

#include "serve/refusal.h"
#include "text/unicode.h"

namespace rondo::serve {

namespace {

using Json = nlohmann::json;

/// Builds the value from the parser's events, so that depth and keys are looked at before anything grows.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // no JSON text has any
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& value) override {
    if (open_.back()->contains(value)) refuse(400, "body: the key \"{}\" stands twice", shown(value));
    key_ = std::move(value);
    return true;
  }

  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    constexpr int kOutOfRange = 406;
    if (error.id == kOutOfRange) refuse(400, "body: a number at byte {} is too large", position);
    refuse(400, "body: no valid JSON at byte {}{}", position, hint(error.what()));
  }

 private:
  // A key for a message: short, and no control characters.
  static std::string shown(const std::string& key) {
    const std::string quoted = to_text(Json(key.substr(0, 60)));
    return quoted.substr(1, quoted.size() - 2);
  }

  // The parser's own words where they help: "... syntax error while parsing value - invalid string: ...".
  static std::string hint(std::string_view what) {
    const size_t begin = what.find(" - ");
    if (begin == std::string_view::npos) return "";
    const std::string_view words = what.substr(begin + 3);
    return fmt::format(" ({})", words.substr(0, words.find("; last read")));
  }

  Json* place(Json&& value) {
    if (open_.empty()) return &(root_ = std::move(value));
    Json& parent = *open_.back();
    if (parent.is_array()) return &parent.emplace_back(std::move(value));
    return &(parent[key_] = std::move(value));
  }
  bool put(Json&& value) {
    place(std::move(value));
    return true;
  }
  bool open(Json&& value) {
    if (open_.size() >= kMostDepth) refuse(400, "body: nested deeper than {}", kMostDepth);
    open_.push_back(place(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  // A pointer stays good: while a value is open, its parent gets no other.
  std::vector<Json*> open_;
  std::string key_;
};

template <class Value>
std::string dump(const Value& json) {
  return json.dump(-1, ' ', false, Value::error_handler_t::replace);
}

}  // namespace

Json parse_strict_object(std::string_view bytes) {
  size_t offset = 0;
  if (!is_valid_utf8(bytes, &offset)) refuse(400, "body: byte {} is not UTF-8", offset + 1);
  // The parser takes a zero byte for the end and would not look at what follows.
  const size_t zero = bytes.find('\0');
  if (zero != std::string_view::npos) refuse(400, "body: byte {} is zero", zero + 1);
  if (bytes.empty()) refuse(400, "body: empty, expected a JSON object");
  Builder builder;
  Json::sax_parse(bytes.begin(), bytes.end(), &builder);
  Json root = builder.take();
  if (!root.is_object()) refuse(400, "body: expected a JSON object, got {}", root.type_name());
  return root;
}

std::string to_text(const Json& json) { return dump(json); }
std::string to_text(const nlohmann::ordered_json& json) { return dump(json); }

}  // namespace rondo::serve
