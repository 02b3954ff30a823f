// The look of --help: names on the left, what they do on the right, lines of 100 columns at most.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace rondo::app {

class HelpFormat final : public CLI::Formatter {
 public:
  HelpFormat() {
    label("SUBCOMMAND", "COMMAND");
    label("Positionals", "Arguments");
  }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool is_positional) const override;
  std::string make_subcommand(const CLI::App* verb) const override;
};

/// "rondo train classify": how a command is called.
std::string command_path(const CLI::App& app);

}  // namespace rondo::app
