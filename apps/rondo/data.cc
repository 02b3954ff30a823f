// rondo data: corpora to learn from.

#include "command_line.h"
#include "console.h"
#include "data/debian_sections.h"
#include "verbs.h"

namespace rondo::app {

Run add_data(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "make a corpus to learn from");
  data->footer("Example:\n  rondo data debian-sections -o sections.tsv");
  CLI::App* sections = data->add_subcommand(
      "debian-sections", "one-line descriptions of this machine's Debian or Ubuntu packages, by section");
  sections->footer(
      "Examples:\n"
      "  rondo data debian-sections -o sections.tsv\n"
      "  rondo data debian-sections -o sections.tsv --split 90/5/5");
  auto options = std::make_shared<DebianSectionsOptions>();
  auto line = std::make_shared<CommandLine>(*sections);
  line->add("Output", *options);
  return [=] {
    line->apply();
    for (const WrittenFile& file : write_debian_sections(debian_sections(), *options)) {
      put("{}\t{} texts\n", file.path, file.rows);
    }
    return 0;
  };
}

}  // namespace rondo::app
