#include "base/options.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <optional>

namespace rondo {
namespace {

using Json = nlohmann::json;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
// Source: Damerau 1964; Wagner & Fischer 1974. Cost: |a|*|b|.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

// A value for a message: at most 60 bytes, whatever was given.
std::string shown(const Json& value) {
  if (value.is_number_float()) return fmt::format("{}", value.get<double>());  // JSON has no word for nan
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() <= 60) return text;
  size_t end = 57;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // no half letter
  return text.substr(0, end) + "...";
}

[[noreturn]] void refuse(const Option& option, const Json& value, std::string_view wanted,
                         std::string_view more = "") {
  throw_error<ConfigError>("--{}: expected {}, got {}{}", option.name, wanted, shown(value), more);
}

// 3.0 as 3; nothing if it is no whole number of 64 bits.
std::optional<Json> whole(const Json& value) {
  if (value.is_number_integer()) return value;
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (!(number == std::floor(number))) return std::nullopt;  // a NaN too
  if (number >= -0x1p63 && number < 0x1p63) return Json(static_cast<int64_t>(number));
  if (number >= 0 && number < 0x1p64) return Json(static_cast<uint64_t>(number));
  return std::nullopt;
}

Json check_number(const Option& option, const Json& value) {
  const bool integer = option.kind == Option::Kind::kInteger;
  const std::optional<Json> number = integer             ? whole(value)
                                     : value.is_number() ? std::optional(value)
                                                         : std::nullopt;
  if (!number) {
    const std::string limits = option.accepts();
    const std::string_view noun = integer ? "an integer" : "a number";
    refuse(option, value, limits == noun ? limits : fmt::format("{}, {}", noun, limits));
  }
  const double size = number->get<double>();
  if (!(size >= option.range.low && size <= option.range.high)) refuse(option, value, option.accepts());
  if (option.fits && !option.fits(*number)) refuse(option, value, option.accepts(), " (too large to hold)");
  return *number;
}

void check_choice(const Option& option, const Json& value) {
  if (!value.is_string()) refuse(option, value, option.accepts());
  const auto& text = value.get_ref<const std::string&>();
  if (std::find(option.choices.begin(), option.choices.end(), text) != option.choices.end()) return;
  const std::string near = nearest(text, option.choices);
  refuse(option, value, option.accepts(), near.empty() ? "" : fmt::format("; did you mean {}?", near));
}

void check_list(const Option& option, const Json& value) {
  const auto is_string = [](const Json& item) { return item.is_string(); };
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_string)) {
    refuse(option, value, "a list of texts");
  }
}

// A number as it was typed, or the text itself, which check() then refuses.
Json parse_number(const std::string& text) {
  const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const char* end = text.data() + text.size();
  const auto parsed = [&](auto number) {
    const auto [stop, error] = std::from_chars(begin, end, number);
    return error == std::errc() && stop == end && begin != end ? Json(number) : Json();
  };
  for (Json number : {parsed(int64_t{}), parsed(uint64_t{}), parsed(double{})}) {
    if (!number.is_null()) return number;
  }
  return text;
}

Json parse_flag(const std::string& text) {
  const std::string word = lower(text);
  for (const char* yes : {"true", "yes", "on", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"false", "no", "off", "0"}) {
    if (word == no) return false;
  }
  return text;
}

Json parse_list(const std::string& text) {
  Json list = Json::array();
  for (size_t begin = 0; !text.empty() && begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    list.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

}  // namespace

void refuse_without_effect(bool wrong, const char* option, const char* needs) {
  if (wrong) throw_error<ConfigError>("--{} has no effect here: it needs {}", option, needs);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string wanted = lower(word);
  size_t best = std::max<size_t>(1, wanted.size() / 3) + 1;
  std::string result;
  for (const std::string& candidate : candidates) {
    const size_t longer = std::max(wanted.size(), candidate.size());
    if (longer - std::min(wanted.size(), candidate.size()) >= best) continue;  // too far by length alone
    const size_t distance = edit_distance(wanted, lower(candidate));
    if (distance >= best || distance >= longer) continue;  // nothing in common is not near
    best = distance;
    result = candidate;
  }
  return result;
}

double shortest(float value) { return std::strtod(fmt::format("{}", value).c_str(), nullptr); }

nlohmann::json Option::check(const nlohmann::json& value) const {
  switch (kind) {
    case Kind::kInteger:
    case Kind::kReal:
      return check_number(*this, value);
    case Kind::kFlag:
      if (!value.is_boolean()) refuse(*this, value, accepts());
      break;
    case Kind::kText:
      if (!value.is_string()) refuse(*this, value, accepts());
      break;
    case Kind::kChoice:
      check_choice(*this, value);
      break;
    case Kind::kList:
      check_list(*this, value);
      break;
  }
  return value;
}

void Option::set(const nlohmann::json& value) const { assign(check(value)); }

void Option::set_text(const std::string& text) const {
  switch (kind) {
    case Kind::kInteger:
    case Kind::kReal:
      return set(parse_number(text));
    case Kind::kFlag:
      return set(parse_flag(text));
    case Kind::kList:
      return set(parse_list(text));
    case Kind::kText:
    case Kind::kChoice:
      return set(text);
  }
}

std::string Option::text() const {
  const Json value = get();
  if (kind == Kind::kReal) return fmt::format("{}", value.get<double>());
  if (kind == Kind::kList) return fmt::format("{}", fmt::join(value.get<std::vector<std::string>>(), ","));
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string Option::accepts() const {
  switch (kind) {
    case Kind::kFlag:
      return "true|false";
    case Kind::kChoice:
      return fmt::format("{}", fmt::join(choices, "|"));
    case Kind::kText:
      return "text";
    case Kind::kList:
      return "text,text,...";
    case Kind::kInteger:
    case Kind::kReal:
      break;
  }
  const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
  if (low && high) return fmt::format("{} to {}", range.low, range.high);
  if (low) return fmt::format("at least {}", range.low);
  if (high) return fmt::format("at most {}", range.high);
  return kind == Kind::kInteger ? "an integer" : "a number";
}

const Option& OptionList::find(std::string_view name) const {
  std::vector<std::string> names;
  for (const Option& option : options_) {
    if (option.name == name) return option;
    names.push_back(option.name);
  }
  const std::string near = nearest(name, names);
  const std::string given(name.substr(0, 60));
  if (near.empty()) throw_error<ConfigError>("unknown option --{}; --help lists those there are", given);
  throw_error<ConfigError>("unknown option --{}; did you mean --{}?", given, near);
}

nlohmann::json OptionList::to_json() const {
  Json object = Json::object();
  for (const Option& option : options_) object[option.name] = option.get();
  return object;
}

void OptionList::from_json(const nlohmann::json& object) const {
  if (!object.is_object()) throw_error<ConfigError>("options: expected an object, got {}", shown(object));
  std::vector<std::pair<const Option*, Json>> checked;
  for (const auto& [name, value] : object.items()) {
    const Option& option = find(name);
    checked.emplace_back(&option, option.check(value));
  }
  for (const auto& [option, value] : checked) option->assign(value);
}

}  // namespace rondo
