#include "command_line.h"

#include <toml++/toml.h>

#include <algorithm>
#include <map>

#include "base/files.h"
#include "console.h"

namespace rondo::app {

namespace {

// How a few options are written: the one-letter names that users of fastText, llama.cpp and PyTorch's scripts
// expect, and what --help puts for the value.
struct Spelling {
  const char* letter = "";
  const char* value = "";
};

const Spelling& spelling(const std::string& name) {
  static const std::map<std::string, Spelling> spellings = {
      {"input", {"-i,", "FILE"}},      {"dev", {"-d,", "FILE"}},     {"output", {"-o,", "FILE"}},
      {"threads", {"-t,", ""}},        {"best", {"-k,", ""}},        {"log", {"", "FILE"}},
      {"tensorboard", {"", "FOLDER"}}, {"vectors", {"", "FILE"}},    {"sentencepiece", {"", "FILE"}},
      {"from", {"", "FILE"}},          {"also", {"", "FILES"}},      {"after", {"", "10e|5000u"}},
      {"split", {"", "90/5/5"}},       {"source", {"", "FILE"}},     {"target", {"", "FILE"}},
      {"dev-source", {"", "FILE"}},    {"dev-target", {"", "FILE"}}, {"lists", {"", "FOLDER"}},
      {"images", {"", "FOLDER"}},      {"captions", {"", "FILE"}},   {"dev-captions", {"", "FILE"}},
      {"features", {"", "FILE"}},      {"report", {"", "FILE"}},     {"attention", {"", "FILE"}}};
  static const Spelling plain;
  const auto found = spellings.find(name);
  return found == spellings.end() ? plain : found->second;
}

std::string value_name(const Option& option) {
  if (option.kind == Option::Kind::kChoice) return option.accepts();
  if (option.kind == Option::Kind::kInteger) return "N";
  if (option.kind == Option::Kind::kReal) return "NUMBER";
  const Spelling& own = spelling(option.name);
  return *own.value != 0 ? own.value : "TEXT";
}

// " [128; 1 to 65536]": the default, and the range where its ends tell something.
std::string default_and_range(const Option& option) {
  const std::string value = option.text();
  if (option.kind == Option::Kind::kFlag) return value == "true" ? " [on]" : "";
  const bool is_number = option.kind == Option::Kind::kInteger || option.kind == Option::Kind::kReal;
  constexpr double kTelling = 1e5;
  if (is_number && option.range.high < kTelling) return fmt::format(" [{}; {}]", value, option.accepts());
  if (is_number && option.range.low > 0) return fmt::format(" [{}; from {}]", value, option.range.low);
  return value.empty() ? "" : fmt::format(" [{}]", value);
}

nlohmann::json to_json(const toml::node& node, const std::string& where) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) {
    nlohmann::json list = nlohmann::json::array();
    for (const toml::node& element : *array) list.push_back(to_json(element, where));
    return list;
  }
  throw_error<ConfigError>("{}: expected a number, text, true or false", where);
}

// Tables only group keys for the reader: [model] hidden = 64 is hidden = 64.
void flatten(const toml::table& table, std::vector<std::pair<std::string, const toml::node*>>& out) {
  for (const auto& [key, node] : table) {
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, out);
    } else {
      out.emplace_back(std::string(key.str()), &node);
    }
  }
}

}  // namespace

void CommandLine::add_option(const std::string& group, const Option& option) {
  const std::string names = spelling(option.name).letter + ("--" + option.name);
  const std::string help = option.help + default_and_range(option);
  const bool is_flag = option.kind == Option::Kind::kFlag;
  CLI::Option* added = is_flag ? app_.add_flag(names + ",!--no-" + option.name)
                               : app_.add_option(names, [](const CLI::results_t&) { return true; });
  added->description(help)->group(group)->default_str(option.text());
  added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!is_flag) added->type_name(value_name(option));
  entries_.push_back({option, added});
}

void CommandLine::add_config() {
  app_.add_option("--config", config_,
                  "TOML file with any of these options, by name; what is written on the command line wins")
      ->group("Files")
      ->type_name("FILE")
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

const Option& CommandLine::find(const std::string& name, const std::string& where) const {
  std::vector<std::string> names;
  for (const Entry& entry : entries_) {
    if (entry.option.name == name) return entry.option;
    names.push_back(entry.option.name);
  }
  const std::string near = nearest(name, names);
  throw_error<ConfigError>("{}: there is no option {}{}", where, name,
                           near.empty() ? "" : "; did you mean " + near + "?");
}

void CommandLine::apply_config() {
  toml::table table;
  const std::string content = read_file(config_, int64_t{1} << 24);
  try {
    table = toml::parse(content, config_);
  } catch (const toml::parse_error& error) {
    throw_error<ConfigError>("{}:{}: {}", config_, error.source().begin.line, error.description());
  }
  std::vector<std::pair<std::string, const toml::node*>> entries;
  flatten(table, entries);
  std::map<std::string, uint32_t> lines;
  for (const auto& [key, node] : entries) {
    const uint32_t line = node->source().begin.line;
    const std::string where = fmt::format("{}:{}", config_, line);
    const auto [first, is_new] = lines.emplace(key, line);
    if (!is_new) throw_error<ConfigError>("{}: {} stands on line {} already", where, key, first->second);
    try {
      const Option& option = find(key, where);
      // A list may be one text with commas, as on the command line.
      if (option.kind == Option::Kind::kList && node->is_string()) {
        option.set_text(*node->value<std::string>());
      } else {
        option.set(to_json(*node, key));
      }
      configured_.push_back(key);
    } catch (const ConfigError& error) {
      const std::string message = error.what();
      throw_error<ConfigError>("{}", message.starts_with(where) ? message : where + ": " + message);
    }
  }
}

void CommandLine::apply() {
  if (!config_.empty()) apply_config();
  for (const Entry& entry : entries_) {
    const std::vector<std::string>& given = entry.typed->results();
    if (given.empty()) continue;
    entry.option.set_text(given.back());
    if (entry.option.kind == Option::Kind::kFlag ||
        std::ranges::count(given, given.back()) == std::ssize(given))
      continue;
    say("note: --{} is given {} times; the last counts, {}\n", entry.option.name, given.size(), given.back());
  }
}

std::vector<std::string> CommandLine::chosen() const {
  std::vector<std::string> names = configured_;
  for (const Entry& entry : entries_) {
    if (!entry.typed->results().empty()) names.push_back(entry.option.name);
  }
  return names;
}

bool CommandLine::given(const std::string& name) const {
  for (const Entry& entry : entries_) {
    if (entry.option.name == name) return !entry.typed->results().empty();
  }
  return false;
}

void refuse_options_of_others(std::span<const std::string> chosen, const std::string& kind,
                              std::initializer_list<std::vector<std::string>> others) {
  for (const std::vector<std::string>& group : others) {
    for (const std::string& name : group) {
      if (std::ranges::find(chosen, name) == chosen.end()) continue;
      throw_error<ConfigError>("--{} has no effect on a {}; leave it out", name, kind);
    }
  }
}

}  // namespace rondo::app
