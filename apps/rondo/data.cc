// rondo data: corpora to learn from.

#include "command_line.h"
#include "console.h"
#include "data/debian_sections.h"
#include "data/debian_translations.h"
#include "data/fashion_scenes.h"
#include "verbs.h"

namespace rondo::app {

namespace {

Run add_sections(CLI::App& data) {
  CLI::App* sections = data.add_subcommand(
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

Run add_translations(CLI::App& data) {
  CLI::App* translations = data.add_subcommand(
      "debian-translations", "descriptions of Debian's packages in English and another language, as pairs");
  translations->footer(
      "Examples:\n"
      "  rondo data debian-translations --language fr -o pairs.tsv --split 90/5/5\n"
      "Where apt holds no translations, fetch them into a folder of your own:\n"
      "  mkdir -p lists/partial\n"
      "  apt-get update -o Acquire::Languages=en,fr -o Dir::State::Lists=$PWD/lists\n"
      "  rondo data debian-translations --language fr --lists lists -o pairs.tsv");
  auto options = std::make_shared<DebianTranslationsOptions>();
  auto line = std::make_shared<CommandLine>(*translations);
  line->add("Output", *options);
  return [=] {
    line->apply();
    for (const WrittenFile& file : write_debian_translations(debian_translations(*options), *options)) {
      put("{}\t{} pairs\n", file.path, file.rows);
    }
    return 0;
  };
}

Run add_scenes(CLI::App& data) {
  CLI::App* scenes = data.add_subcommand(
      "fashion-scenes", "pictures of articles with captions that tell their places, and the truth of both");
  scenes->footer(
      "The pictures are of Debian's package dataset-fashion-mnist: apt-get install dataset-fashion-mnist\n"
      "Examples:\n"
      "  rondo data fashion-scenes -o scenes\n"
      "  rondo data fashion-scenes -o small --train 500 --dev 100 --test 100 --most-articles 2\n"
      "Then:\n"
      "  rondo train caption --images scenes/images --captions scenes/train.jsonl \\\n"
      "    --dev-captions scenes/dev.jsonl -o scenes.rondo");
  auto options = std::make_shared<FashionScenesOptions>();
  auto line = std::make_shared<CommandLine>(*scenes);
  line->add("Output", *options);
  return [=] {
    line->apply();
    for (const WrittenFile& file : write_fashion_scenes(*options)) {
      put("{}\t{} scenes\n", file.path, file.rows);
    }
    return 0;
  };
}

}  // namespace

Run add_data(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "make a corpus to learn from");
  data->footer(
      "Examples:\n"
      "  rondo data debian-sections -o sections.tsv\n"
      "  rondo data debian-translations --language fr -o pairs.tsv\n"
      "  rondo data fashion-scenes -o scenes");
  const Run sections = add_sections(*data);
  const Run translations = add_translations(*data);
  const Run scenes = add_scenes(*data);
  return [=] {
    if (data->got_subcommand("fashion-scenes")) return scenes();
    return data->got_subcommand("debian-translations") ? translations() : sections();
  };
}

}  // namespace rondo::app
