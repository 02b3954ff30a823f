#include "command_line.h"

#include <toml++/toml.h>

#include <map>
#include <sstream>

#include "base/files.h"

namespace rondo::app {

namespace {

// The one-letter names that users of fastText, llama.cpp and PyTorch's scripts expect.
const std::map<std::string, std::string>& short_names() {
  static const std::map<std::string, std::string> names = {
      {"input", "-i"}, {"dev", "-d"}, {"output", "-o"}, {"threads", "-t"}, {"best", "-k"}};
  return names;
}

std::string flag_names(const Option& option) {
  const auto found = short_names().find(option.name);
  const std::string names = (found == short_names().end() ? "" : found->second + ",") + "--" + option.name;
  return option.kind == Option::Kind::kFlag ? names + ",!--no-" + option.name : names;
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
void flatten(const toml::table& table, const std::string& path,
             std::vector<std::pair<std::string, const toml::node*>>& out) {
  for (const auto& [key, node] : table) {
    if (const toml::table* inner = node.as_table()) {
      flatten(*inner, path, out);
    } else {
      out.emplace_back(std::string(key.str()), &node);
    }
  }
}

}  // namespace

void CommandLine::add_option(const std::string& group, const Option& option) {
  options_.push_back(option);
  const std::string name = option.name;
  if (option.kind == Option::Kind::kFlag) {
    app_.add_flag_function(
            flag_names(option),
            [values = values_, name](int64_t count) {
              values->emplace_back(name, count > 0 ? "true" : "false");
            },
            option.help + (option.text() == "true" ? " [on]" : ""))
        ->group(group);
    return;
  }
  app_.add_option_function<std::string>(
          flag_names(option),
          [values = values_, name](const std::string& text) { values->emplace_back(name, text); },
          option.help)
      ->group(group)
      ->type_name(option.accepts())
      ->default_str(option.text());
}

void CommandLine::add_config() {
  app_.add_option("--config", config_,
                  "TOML file with any of these options, by name; the command line goes before it")
      ->group("Files")
      ->type_name("file");
}

void CommandLine::apply_config() const {
  toml::table table;
  const std::string content = read_file(config_, int64_t{1} << 24);
  try {
    table = toml::parse(content, config_);
  } catch (const toml::parse_error& error) {
    throw_error<ConfigError>("{}:{}: {}", config_, error.source().begin.line, error.description());
  }
  std::vector<std::pair<std::string, const toml::node*>> entries;
  flatten(table, config_, entries);
  for (const auto& [key, node] : entries) {
    const std::string where = fmt::format("{}:{}: {}", config_, node->source().begin.line, key);
    std::vector<std::string> names;
    const Option* found = nullptr;
    for (const Option& option : options_) {
      names.push_back(option.name);
      if (option.name == key) found = &option;
    }
    if (!found) {
      const std::string near = nearest(key, names);
      throw_error<ConfigError>("{}: there is no such option{}", where,
                               near.empty() ? "" : "; did you mean " + near + "?");
    }
    try {
      found->set(to_json(*node, where));
    } catch (const ConfigError& error) {
      throw_error<ConfigError>("{}:{}: {}", config_, node->source().begin.line, error.what());
    }
  }
}

void CommandLine::apply() const {
  if (!config_.empty()) apply_config();
  for (const auto& [name, text] : *values_) {
    for (const Option& option : options_) {
      if (option.name == name) option.set_text(text);
    }
  }
}

bool CommandLine::given(const std::string& name) const {
  for (const auto& [given_name, text] : *values_) {
    if (given_name == name) return true;
  }
  return false;
}

std::string unexpected_message(const CLI::App& app, const std::vector<std::string>& arguments) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  std::vector<std::string> verbs;
  for (const CLI::App* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
  for (const std::string& argument : arguments) {
    const bool is_option = argument.starts_with("-") && argument != "-";
    if (!is_option && verbs.empty()) continue;
    const std::string word = argument.substr(0, argument.find('='));
    const std::string near = nearest(word, is_option ? names : verbs);
    return fmt::format("there is no {} {}{}; see {} --help", is_option ? "option" : "command", word,
                       near.empty() ? "" : "; did you mean " + near + "?",
                       app.get_parent() ? "rondo " + app.get_name() : "rondo");
  }
  return fmt::format("unexpected argument {}; see rondo {} --help",
                     arguments.empty() ? "" : arguments.front(), app.get_name());
}

}  // namespace rondo::app
