#include "usage.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/options.h"
#include "help_format.h"

namespace rondo::app {

namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (!name.starts_with("no-") || option->get_default_str() == "true") names.push_back("--" + name);
    }
  }
  return names;
}

std::vector<std::string> verb_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  return names;
}

// The command under `app` that has an option of just this name, or null.
const CLI::App* owner_of(const CLI::App& app, const std::string& name) {
  for (const CLI::App* verb : app.get_subcommands({})) {
    for (const std::string& own : option_names(*verb)) {
      if (own == name) return verb;
    }
    if (const CLI::App* inner = owner_of(*verb, name)) return inner;
  }
  return nullptr;
}

// Whether a word behind the model is a text: such a one may begin with "-".
bool takes_text(const CLI::App& app) {
  const std::string& name = app.get_name();
  return name == "generate" || name == "score" || name == "predict";
}

// What other programs call an option, too far from our word for it to be taken for a slip of the pen.
std::string our_word_for(const std::string& word, const std::vector<std::string>& names) {
  struct Elsewhere {
    const char *word, *name, *value;
  };
  static constexpr Elsewhere kElsewhere[] = {
      {"--epochs", "--after", " 10e"},        {"--epoch", "--after", " 10e"},
      {"--num-epochs", "--after", " 10e"},    {"--max-epochs", "--after", " 10e"},
      {"--steps", "--after", " 5000u"},       {"--max-steps", "--after", " 5000u"},
      {"--learning-rate", "--lr", ""},        {"--batch-size", "--batch", ""},
      {"--hidden-size", "--hidden", ""},      {"--num-layers", "--layers", ""},
      {"--embedding-dim", "--embedding", ""},
  };
  for (const Elsewhere& other : kElsewhere) {
    const bool ours = std::find(names.begin(), names.end(), other.name) != names.end();
    if (word == other.word && ours) return std::string(other.name) + other.value;
  }
  return "";
}

// The dashes are no likeness: --cell is not nearly --help.
std::string nearest_option(const std::string& word, const std::vector<std::string>& names) {
  std::vector<std::string> bare;
  for (const std::string& name : names) {
    if (name.starts_with("--")) bare.push_back(name.substr(2));
  }
  const std::string near = nearest(word.starts_with("--") ? word.substr(2) : word, bare);
  return near.empty() ? near : "--" + near;
}

std::string unknown_option(const CLI::App& root, const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = option_names(app);
  const std::string ours = our_word_for(word, names);
  const std::string near = ours.empty() ? nearest_option(word, names) : ours;
  if (!near.empty()) return fmt::format("there is no option {}; did you mean {}?", word, near);
  const CLI::App* owner = owner_of(root, word);
  if (owner != nullptr) return fmt::format("{} is an option of {}", word, command_path(*owner));
  if (takes_text(app)) {
    return fmt::format(
        "there is no option {}; a text that begins with - stands behind --, after all options: "
        "{} MODEL -- TEXT",
        word, command_path(app));
  }
  return fmt::format("there is no option {}", word);
}

std::string unknown_verb(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> verbs = verb_names(app);
  const std::string near = nearest(word, verbs);
  if (!near.empty()) return fmt::format("there is no command {}; did you mean {}?", word, near);
  return fmt::format("there is no command {}; there are {}", word, fmt::join(verbs, ", "));
}

// Of the words that nobody expected the first that says most; empty where there are none.
std::string unexpected_word(const CLI::App& root, const CLI::App& app) {
  const std::vector<std::string> words = root.remaining(true);
  if (words.empty()) return "";
  if (!verb_names(app).empty() && !words.front().starts_with("-")) return unknown_verb(app, words.front());
  if (std::find(words.begin(), words.end(), "--") != words.end()) {
    return fmt::format("unexpected argument {}; behind -- options are no options: write them before it",
                       words.back());
  }
  for (const std::string& word : words) {
    if (word.starts_with("-") && word != "-")
      return unknown_option(root, app, word.substr(0, word.find('=')));
  }
  return fmt::format("unexpected argument {}; a text of several words stands in quotes", words.front());
}

}  // namespace

const CLI::App& named_command(const CLI::App& app) {
  const std::vector<CLI::App*> named = app.get_subcommands();
  return named.empty() ? app : named_command(*named.front());
}

std::string usage_message(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& app = named_command(root);
  std::string message = unexpected_word(root, app);
  if (message.empty()) {
    message = CLI::detail::find_and_replace(error.what(), " is required", " is missing");
    const std::string option = message.substr(0, message.find(':'));
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
      message = option + ": its value is missing";
  }
  return fmt::format("{}; see {} --help", message, command_path(app));
}

}  // namespace rondo::app
