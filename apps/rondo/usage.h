// What to tell a person whose words could not be read.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace rondo::app {

/// The deepest command that was named: its options are the ones that a wrong word may have meant.
const CLI::App& named_command(const CLI::App& app);

/// What was wrong, the nearest name that there is, and where to read on.
std::string usage_message(const CLI::App& root, const CLI::ParseError& error);

}  // namespace rondo::app
