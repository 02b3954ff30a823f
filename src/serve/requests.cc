#include "serve/requests.h"

#include <algorithm>
#include <optional>

#include "serve/strict_json.h"

namespace rondo::serve {

namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

// Stop strings are looked for at every token.
constexpr size_t kMostStops = 16;
constexpr size_t kMostStopBytes = 200;

std::string with(std::string name, char from, char to) {
  std::replace(name.begin(), name.end(), from, to);
  return name;
}

// The options speak of --n-best, a client wrote n_best.
std::string in_json_words(const std::string& message, const Option& option) {
  const std::string own = "--" + option.name;
  if (!message.starts_with(own)) return message;
  return with(option.name, '-', '_') + message.substr(own.size());
}

[[noreturn]] void refuse_field(const std::string& field, const std::vector<std::string>& known) {
  const std::string shown = to_text(Json(field.substr(0, 60)));
  const std::string near = nearest(field, known);
  if (!near.empty()) refuse(400, "body: there is no field {}; did you mean \"{}\"?", shown, near);
  refuse(400, "body: there is no field {}; there are {}", shown, fmt::join(known, ", "));
}

/// The fields of an object one after another; those that nobody took are refused in the end.
class Fields {
 public:
  explicit Fields(std::string_view body) : object_(parse_strict_object(body)) {}

  /// The field, which then is taken; or nothing.
  std::optional<Json> take(const std::string& name) {
    known_.push_back(name);
    const auto found = object_.find(name);
    if (found == object_.end()) return std::nullopt;
    Json value = std::move(*found);
    object_.erase(found);
    return value;
  }

  /// What is left, by the options of a struct.
  template <class Request>
  void finish(Request& request) {
    const OptionList list(request);
    for (const Option& option : list.all()) known_.push_back(with(option.name, '-', '_'));
    for (const auto& [field, value] : object_.items()) {
      const auto named = [&name = field](const Option& option) {
        return with(option.name, '-', '_') == name;
      };
      const auto found = std::find_if(list.all().begin(), list.all().end(), named);
      if (found == list.all().end()) refuse_field(field, known_);
      set(*found, value);
    }
  }

 private:
  static void set(const Option& option, const Json& value) {
    try {
      option.set(value);
    } catch (const ConfigError& error) {
      refuse(400, "{}", in_json_words(error.what(), option));
    }
  }

  Json object_;
  std::vector<std::string> known_;
};

void check_text(const std::string& text, const std::string& where, const RequestLimits& limits) {
  if (static_cast<int64_t>(text.size()) <= limits.max_text) return;
  refuse(422, "{}: {} bytes, at most {} are read; send it in parts", where, text.size(), limits.max_text);
}

std::string text_of(Json&& value, const std::string& where, const RequestLimits& limits) {
  if (!value.is_string()) refuse(400, "{}: expected text, got {}", where, value.type_name());
  check_text(value.get_ref<const std::string&>(), where, limits);
  return std::move(value.get_ref<std::string&>());
}

void check_count(size_t count, const std::string& where, const RequestLimits& limits) {
  if (static_cast<int64_t>(count) <= limits.max_texts) return;
  refuse(422, "{}: {} texts, at most {} are taken at once", where, count, limits.max_texts);
}

Json list_of(Json&& value, const std::string& where) {
  if (!value.is_array()) refuse(400, "{}: expected a list, got {}", where, value.type_name());
  return std::move(value);
}

Words texts_of(Json&& value, const RequestLimits& limits) {
  Json list = list_of(std::move(value), "texts");
  check_count(list.size(), "texts", limits);
  Words texts;
  for (Json& item : list) {
    texts.push_back(text_of(std::move(item), fmt::format("texts[{}]", texts.size()), limits));
  }
  return texts;
}

void need_one_of(int given, const char* fields) {
  if (given != 1) refuse(400, "body: expected one of {}, got {} of them", fields, given);
}

Words take_texts(Fields& fields, const RequestLimits& limits) {
  std::optional<Json> text = fields.take("text"), texts = fields.take("texts");
  need_one_of(text.has_value() + texts.has_value(), "text and texts");
  if (texts) return texts_of(std::move(*texts), limits);
  return {text_of(std::move(*text), "text", limits)};
}

// A limit on a text is one on all its words together.
Words words_of(Json&& value, const std::string& where, const RequestLimits& limits) {
  Json list = list_of(std::move(value), where);
  Words words;
  size_t bytes = 0;
  for (Json& item : list) {
    words.push_back(text_of(std::move(item), fmt::format("{}[{}]", where, words.size()), limits));
    bytes += words.back().size() + 1;
    if (words.back().empty()) refuse(400, "{}[{}]: an empty word", where, words.size() - 1);
  }
  if (static_cast<int64_t>(bytes) > limits.max_text + 1) {
    refuse(422, "{}: {} bytes, at most {} are read", where, bytes, limits.max_text);
  }
  return words;
}

Words split_words(const std::string& text) {
  constexpr const char* kSpace = " \t\v\f\r\n";
  Words words;
  for (size_t begin = text.find_first_not_of(kSpace); begin != std::string::npos;) {
    const size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
  return words;
}

std::vector<Words> take_sentences(Fields& fields, const RequestLimits& limits) {
  std::optional<Json> text = fields.take("text"), texts = fields.take("texts");
  std::optional<Json> words = fields.take("words"), sentences = fields.take("sentences");
  need_one_of(text.has_value() + texts.has_value() + words.has_value() + sentences.has_value(),
              "text, texts, words and sentences");
  if (words) return {words_of(std::move(*words), "words", limits)};
  std::vector<Words> result;
  if (text) result.push_back(split_words(text_of(std::move(*text), "text", limits)));
  if (texts) {
    for (const std::string& one : texts_of(std::move(*texts), limits)) result.push_back(split_words(one));
  }
  if (sentences) {
    Json list = list_of(std::move(*sentences), "sentences");
    check_count(list.size(), "sentences", limits);
    for (Json& item : list) {
      result.push_back(words_of(std::move(item), fmt::format("sentences[{}]", result.size()), limits));
    }
  }
  return result;
}

void check_beam(const char* field, int64_t value, const RequestLimits& limits) {
  if (value > limits.max_beam) refuse(422, "{}: {}, at most {} here", field, value, limits.max_beam);
}

}  // namespace

PredictRequest parse_predict_request(std::string_view body, const RequestLimits& limits) {
  PredictRequest request;
  Fields fields(body);
  request.texts = take_texts(fields, limits);
  fields.finish(request);
  return request;
}

TaggingRequest parse_tagging_request(std::string_view body, const RequestLimits& limits) {
  TaggingRequest request;
  Fields fields(body);
  request.sentences = take_sentences(fields, limits);
  fields.finish(request);
  check_beam("n_best", request.n_best, limits);
  return request;
}

TranslationRequest parse_translation_request(std::string_view body, const RequestLimits& limits) {
  TranslationRequest request;
  Fields fields(body);
  request.texts = take_texts(fields, limits);
  fields.finish(request);
  check_beam("beam", request.options.search.beam, limits);
  check_beam("n_best", request.options.search.n_best, limits);
  if (request.options.search.n_best > request.options.search.beam) {
    refuse(400, "n_best: {}, but the beam is {}; raise it", request.options.search.n_best,
           request.options.search.beam);
  }
  return request;
}

GenerationRequest parse_generation_request(std::string_view body, const RequestLimits& limits) {
  GenerationRequest request;
  request.options.length = std::min(request.options.length, limits.max_length);
  Fields(body).finish(request);
  check_text(request.prompt, "prompt", limits);
  if (request.options.length > limits.max_length) {
    refuse(422, "length: {} tokens, at most {} here", request.options.length, limits.max_length);
  }
  if (request.options.stop.size() > kMostStops) {
    refuse(422, "stop: {} strings, at most {}", request.options.stop.size(), kMostStops);
  }
  for (const std::string& stop : request.options.stop) {
    if (stop.empty()) refuse(400, "stop: an empty string would end every text at once");
    if (stop.size() > kMostStopBytes) refuse(422, "stop: {} bytes, at most {}", stop.size(), kMostStopBytes);
  }
  return request;
}

LookRequest parse_look_request(std::string_view body, const RequestLimits& limits) {
  LookRequest request;
  Fields(body).finish(request);
  const auto size = static_cast<int64_t>(request.text.size());
  if (size > limits.max_look)
    refuse(422, "text: {} bytes, at most {} are looked into", size, limits.max_look);
  return request;
}

SessionRequest parse_session_request(std::string_view body, const RequestLimits& limits) {
  SessionRequest request;
  if (!body.empty()) Fields(body).finish(request);
  check_text(request.text, "text", limits);
  return request;
}

FeedRequest parse_feed_request(std::string_view body, const RequestLimits& limits) {
  FeedRequest request;
  Fields(body).finish(request);
  check_text(request.text, "text", limits);
  return request;
}

}  // namespace rondo::serve
