// An option is declared once: one field of one struct, visited with its name, help and range.
//   struct Size { int hidden = 128;
//     template <class V> void visit(V& v) { v("hidden", hidden, "units a direction", Range{1, 65536}); } };
//   Size size;  OptionList list(size);  list.find("hidden").set_text("256");  auto saved = list.to_json();
// The command line, the configuration file, the model file and the documentation all read this list.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/errors.h"

namespace rondo {

/// The numbers that a field accepts, both ends included.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

/// The names of an enumeration's values; specialise it beside the enumeration:
///   template <> inline constexpr auto kNames<Cell> = std::array{std::pair{Cell::kRnn, "rnn"}, ...};
template <class Enum>
inline constexpr auto kNames = std::array<std::pair<Enum, const char*>, 0>{};

template <class Enum>
const char* name_of(Enum value) {
  for (const auto& [candidate, name] : kNames<Enum>) {
    if (candidate == value) return name;
  }
  return "?";
}

/// @throws ConfigError where `wrong`: "--OPTION has no effect here: it needs NEEDS".
void refuse_without_effect(bool wrong, const char* option, const char* needs);

/// The candidate with the smallest edit distance to `word` (a swap of neighbours counts one, upper and lower
/// case are equal), or "" if none is near: at most a third of the letters, or one, may differ.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// The double whose shortest decimal form is that of `value`: 0.1F is saved as 0.1, not 0.10000000149011612.
double shortest(float value);

/// One field of an options struct, without its type. It points into the struct, which must outlive it.
struct Option {
  enum class Kind { kFlag, kInteger, kReal, kText, kChoice, kList };

  std::string name;
  std::string help;
  Kind kind = Kind::kText;
  Range range;
  std::vector<std::string> choices;
  std::function<nlohmann::json()> get;
  std::function<void(const nlohmann::json&)> assign;  ///< of the right JSON type and range already
  std::function<bool(const nlohmann::json&)> fits;    ///< whether the field's C++ type can hold the number

  /// Sets the field. @throws ConfigError that names the option, what it accepts and what was given.
  void set(const nlohmann::json& value) const;
  /// Sets the field from what a person typed: "0.5", "lstm", "true", "a,b" for a list.
  void set_text(const std::string& text) const;
  /// The value as set() would store it: 3.0 becomes 3 for an integer. @throws ConfigError as set().
  nlohmann::json check(const nlohmann::json& value) const;
  /// The value as a person would type it.
  std::string text() const;
  /// What is accepted, for help and messages: "rnn|lstm|gru", "1 to 65536", "at least 0", "text".
  std::string accepts() const;
};

/// The options of one or more structs in the order of their declaration.
class OptionList {
 public:
  OptionList() = default;
  template <class Struct>
  explicit OptionList(Struct& options) {
    add(options);
  }

  template <class Struct>
  void add(Struct& options) {
    options.visit(*this);
  }

  /// Called by a struct's visit(), once a field.
  template <class Field>
  void operator()(const char* name, Field& field, const char* help, Range range = {}) {
    Option option{.name = name, .help = help, .range = range};
    option.kind = kind_of<Field>();
    if constexpr (std::is_enum_v<Field>) {
      for (const auto& [value, text] : kNames<Field>) option.choices.emplace_back(text);
      option.get = [&field] { return nlohmann::json(name_of(field)); };
      option.assign = [&field](const nlohmann::json& json) {
        for (const auto& [value, text] : kNames<Field>) {
          if (json.get_ref<const std::string&>() == text) field = value;
        }
      };
    } else {
      static_assert(kind_of<Field>() != Option::Kind::kText || std::is_same_v<Field, std::string>);
      option.get = [&field] { return to_json_value(field); };
      option.fits = &fits_in<Field>;
      option.assign = [&field](const nlohmann::json& json) { json.get_to(field); };
    }
    options_.push_back(std::move(option));
  }

  const std::vector<Option>& all() const { return options_; }
  /// The option of this name. @throws ConfigError that suggests the nearest name.
  const Option& find(std::string_view name) const;
  nlohmann::json to_json() const;
  /// Sets the fields named in an object, all or none. @throws ConfigError for an unknown name or wrong value.
  void from_json(const nlohmann::json& object) const;

 private:
  template <class Field>
  static constexpr Option::Kind kind_of() {
    if constexpr (std::is_same_v<Field, bool>) return Option::Kind::kFlag;
    if constexpr (std::is_integral_v<Field>) return Option::Kind::kInteger;
    if constexpr (std::is_floating_point_v<Field>) return Option::Kind::kReal;
    if constexpr (std::is_enum_v<Field>) return Option::Kind::kChoice;
    if constexpr (std::is_same_v<Field, std::vector<std::string>>) return Option::Kind::kList;
    return Option::Kind::kText;
  }

  template <class Field>
  static nlohmann::json to_json_value(const Field& field) {
    if constexpr (std::is_same_v<Field, float>) return shortest(field);
    return field;
  }

  template <class Field>
  static bool fits_in(const nlohmann::json& number) {
    if constexpr (kind_of<Field>() == Option::Kind::kInteger) {
      return number.is_number_unsigned() ? std::in_range<Field>(number.get<uint64_t>())
                                         : std::in_range<Field>(number.get<int64_t>());
    } else if constexpr (kind_of<Field>() == Option::Kind::kReal) {
      return std::abs(number.get<double>()) <= std::numeric_limits<Field>::max();  // false for a NaN
    }
    return true;
  }

  std::vector<Option> options_;
};

}  // namespace rondo
