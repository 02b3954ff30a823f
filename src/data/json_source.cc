// JSON lines: an object a line.
#include <fmt/format.h>

#include "base/errors.h"
#include "data/columns.h"
#include "data/example_source.h"
#include "data/wording.h"

namespace rondo {
namespace {

using nlohmann::json;

class JsonSource : public ExampleReader::Source {
 public:
  JsonSource(TextLines lines, const ReadOptions& options, ExampleReader::Labels labels)
      : Source(std::move(lines), options, labels) {
    text_keys_ = split_list(options_.text_column, ",");
    label_key_ = options_.label_column;
    const std::optional<json> first = next_object();
    if (!first) throw_error<DataError>("{}: empty file, expected a JSON object a line", lines_.name());
    choose_keys(*first);
    first_ = read(*first);
    format_ = fmt::format("JSON lines: {}the text is {}",
                          label_key_.empty() ? "" : fmt::format("the label is '{}', ", label_key_),
                          short_list(text_keys_));
  }

  std::optional<Example> next() override {
    if (first_) return std::exchange(first_, std::nullopt);
    const std::optional<json> object = next_object();
    if (!object) return std::nullopt;
    return read(*object);
  }

 private:
  // The object of the next line that is not blank.
  std::optional<json> next_object() {
    while (std::optional<std::string> line = lines_.next()) {
      if (trim(*line).empty()) continue;
      try {
        json object = json::parse(*line);
        if (object.is_object()) return object;
        throw_error<DataError>(
            "{}:{}: a JSON {}, expected an object; one array over the file becomes lines by: jq -c '.[]'",
            lines_.name(), lines_.line(), object.type_name());
      } catch (const json::exception& e) {
        throw_error<DataError>("{}:{}: no JSON object: {}; each line must be a whole one", lines_.name(),
                               lines_.line(), reason(e));
      }
    }
    return std::nullopt;
  }

  // nlohmann's message without its number and its own line, and not longer than a line of the terminal or
  // two: it quotes the input.
  static std::string reason(const json::exception& e) {
    std::string text = e.what();
    const size_t begin = text.find("column ");
    if (begin != std::string::npos) text.erase(0, begin);
    return shorten(text, 160);
  }

  void choose_keys(const json& first) {
    for (const std::string_view word : label_words()) {
      if (label_key_.empty() && first.contains(word)) label_key_ = word;
    }
    const bool default_texts = text_keys_.empty();
    for (const std::string_view word : text_words()) {
      if (default_texts && first.contains(word) && label_key_ != word) text_keys_.emplace_back(word);
    }
    if (text_keys_.empty()) throw_missing("text", "text-column", first);
    if (label_key_.empty() && labels_ == ExampleReader::Labels::kRequired) {
      throw_missing("label", "label-column", first);
    }
  }

  [[noreturn]] void throw_missing(std::string_view key, const char* option, const json& object) const {
    std::vector<std::string> keys;
    for (const auto& item : object.items()) keys.push_back(item.key());
    throw_error<DataError>("{}:{}: no key '{}', the object has: {}; name the key by --{}", lines_.name(),
                           lines_.line(), key, short_list(keys), option);
  }

  Example read(const json& object) const {
    Example example{.labels = {}, .text = {}, .line = lines_.line()};
    for (const std::string& key : text_keys_) {
      const auto value = object.find(key);
      if (value == object.end()) throw_missing(key, "text-column", object);
      if (!value->is_string()) {
        throw_error<DataError>("{}:{}: the text '{}' is a JSON {}, expected a string", lines_.name(),
                               lines_.line(), key, value->type_name());
      }
      const auto& text = value->get_ref<const std::string&>();
      if (!example.text.empty() && !text.empty()) example.text += ' ';
      example.text += text;
    }
    read_labels(object, example);
    return example;
  }

  void read_labels(const json& object, Example& example) const {
    if (label_key_.empty()) return;
    const auto value = object.find(label_key_);
    const bool absent = value == object.end() || value->is_null();
    if (!absent && value->is_array()) {
      for (const json& item : *value) add_labels(example, label_text(item));
      return;  // an empty array says that the text has none of the labels
    }
    if (!absent) add_labels(example, label_text(*value));
    require_label(example, fmt::format("the label '{}' is {}", label_key_, absent ? "missing" : "empty"));
  }

  std::string label_text(const json& value) const {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number() || value.is_boolean()) return value.dump();
    throw_error<DataError>(
        "{}:{}: the label '{}' is a JSON {}, expected a string, a number or an array of them", lines_.name(),
        lines_.line(), label_key_, value.type_name());
  }

  std::string label_key_;  // empty: the objects have no label
  std::vector<std::string> text_keys_;
  std::optional<Example> first_;
};

}  // namespace

std::unique_ptr<ExampleReader::Source> make_json_source(TextLines lines, const ReadOptions& options,
                                                        ExampleReader::Labels labels) {
  return std::make_unique<JsonSource>(std::move(lines), options, labels);
}

}  // namespace rondo
