// Between option structs and CLI11: every field becomes --name, its default, range and help read from the one
// declaration.
//   CommandLine line(app);  line.add("Model", options);  ...parse...;  line.apply();
#pragma once

#include <CLI/CLI.hpp>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "base/options.h"

namespace rondo::app {

/// The options of one command. Values are set by apply(), in this order: defaults, --config file, command
/// line.
class CommandLine {
 public:
  explicit CommandLine(CLI::App& app) : app_(app) {}

  /// Adds the fields of `options` (which must outlive this) under a heading of the help.
  template <class Struct>
  void add(const std::string& group, Struct& options) {
    const OptionList list(options);
    for (const Option& option : list.all()) add_option(group, option);
  }
  /// Adds --config FILE (TOML).
  void add_config();

  /// @throws ConfigError that names the option, and the file and line for one of --config.
  void apply();
  /// The options that the person wrote, on the command line or in --config; after apply().
  std::vector<std::string> chosen() const;
  /// Whether the person wrote this option on the command line.
  bool given(const std::string& name) const;

 private:
  struct Entry {
    Option option;
    const CLI::Option* typed;  ///< what was written on the command line
  };

  void add_option(const std::string& group, const Option& option);
  void apply_config();
  const Option& find(const std::string& name, const std::string& where) const;

  CLI::App& app_;
  std::string config_;
  std::vector<std::string> configured_;
  std::vector<Entry> entries_;
};

/// The names of a struct's options.
template <class Struct>
std::vector<std::string> option_names() {
  Struct options;
  const OptionList list(options);
  std::vector<std::string> names;
  for (const Option& option : list.all()) names.push_back(option.name);
  return names;
}

/// For a verb that takes models of several kinds: an option of another kind is refused, not ignored.
/// @param chosen  what the person wrote, CommandLine::chosen().
/// @param others  groups of options that mean nothing to a model of this kind.
/// @throws ConfigError that names the first that was chosen, and the kind.
void refuse_options_of_others(std::span<const std::string> chosen, const std::string& kind,
                              std::initializer_list<std::vector<std::string>> others);

/// Options that change speed and place, never results.
struct RunOptions {
  int threads = 0;
  std::string device = "cpu";

  template <class Visitor>
  void visit(Visitor& v) {
    v("threads", threads, "threads; 0 takes one for each processor; changes speed, never results",
      Range{0, 1024});
    v("device", device, "cpu, reference (slow, exact) or cuda[:N]");
  }
};

}  // namespace rondo::app
