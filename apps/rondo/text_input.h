// A word of the command line that is a text, or names a file of texts.
#pragma once

#include <string>
#include <vector>

namespace rondo::app {

/// Whether this names a file, or is "-" for standard input; all else is a text, with a warning on
/// standard error for a word that could be the name of a file. @param verb  for the message.
/// @throws IoError for what looks like the name of a file that is not there.
/// @param options  that the message adds behind the model, each with a space before it.
bool names_file(const std::string& input, const std::string& verb, const std::string& options = "");

/// A text that was typed: repaired, or refused with the words that help here. @throws DataError.
std::string checked_text(const std::string& text, bool replace_invalid);

/// Of ReadOptions what only texts with labels have.
std::vector<std::string> label_options();
/// Those, and how tables are written.
std::vector<std::string> table_options();

/// A line for a line: what a text holds must not part it.
std::string one_line(std::string text);

}  // namespace rondo::app
