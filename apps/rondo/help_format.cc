#include "help_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace rondo::app {

namespace {

constexpr size_t kWidth = 100;
constexpr size_t kColumn = 30;  // where descriptions begin

// "  -o, --output FILE", or "  --quotes, --no-quotes" of a flag that is on by default.
std::string names_of(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += fmt::format("-{}, ", name);
  const std::vector<std::string>& all = option.get_lnames();
  for (const std::string& name : all) {
    const bool turns_off = name.starts_with("no-") && std::ranges::find(all, name.substr(3)) != all.end();
    if (!turns_off || option.get_default_str() == "true") names += fmt::format("--{}, ", name);
  }
  names.resize(names.size() - 2);
  const bool has_value = option.get_items_expected_max() > 0;
  return has_value ? fmt::format("{} {}", names, option.get_type_name()) : names;
}

std::string row(const std::string& left, const std::string& description) {
  std::string out = "  " + left;
  size_t at = out.size();
  if (at + 2 > kColumn) {
    out += '\n';
    at = 0;
  }
  out.append(kColumn - at, ' ');
  at = kColumn;
  std::istringstream words(description);
  for (std::string word; words >> word;) {
    const bool first = at == kColumn;
    if (!first && at + 1 + word.size() > kWidth) {
      out += '\n' + std::string(kColumn, ' ');
      at = kColumn;
    } else if (!first) {
      out += ' ';
      ++at;
    }
    out += word;
    at += word.size();
  }
  return out + '\n';
}

}  // namespace

std::string HelpFormat::make_help(const CLI::App* app, std::string, CLI::AppFormatMode mode) const {
  std::string help = Formatter::make_help(app, command_path(*app), mode);
  help = CLI::detail::find_and_replace(help, "\nSubcommands:\n", "\nCommands:\n");
  return CLI::detail::find_and_replace(help, "\n\n\n", "\n\n");
}

std::string HelpFormat::make_option(const CLI::Option* option, bool is_positional) const {
  return row(is_positional ? option->get_name(true, false) : names_of(*option), option->get_description());
}

std::string HelpFormat::make_subcommand(const CLI::App* verb) const {
  return row(verb->get_name(), verb->get_description());
}

std::string command_path(const CLI::App& app) {
  return app.get_parent() ? command_path(*app.get_parent()) + " " + app.get_name() : app.get_name();
}

}  // namespace rondo::app
