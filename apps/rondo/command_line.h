// Between option structs and CLI11: every field becomes --name, its default, range and help read from the one
// declaration.
//   CommandLine line(app);  line.add("Model", options);  ...parse...;  line.apply();
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <utility>
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
  void apply() const;
  /// Whether the person wrote this option on the command line.
  bool given(const std::string& name) const;

 private:
  using Value = std::pair<std::string, std::string>;

  void add_option(const std::string& group, const Option& option);
  void apply_config() const;

  CLI::App& app_;
  std::string config_;
  std::vector<Option> options_;
  // Shared with the callbacks that CLI11 keeps.
  std::shared_ptr<std::vector<Value>> values_ = std::make_shared<std::vector<Value>>();
};

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

/// The message for arguments that nobody expected: names the nearest option of `app`.
std::string unexpected_message(const CLI::App& app, const std::vector<std::string>& arguments);

}  // namespace rondo::app
