// rondo bleu: how near translations come to those of people.

#include "base/errors.h"
#include "command_line.h"
#include "console.h"
#include "data/aligned_lines.h"
#include "training/translation_scores.h"
#include "verbs.h"

namespace rondo::app {

namespace {

struct BleuCommand {
  TranslationScoreOptions score;
  bool json = false;
  bool replace_invalid = false;

  template <class Visitor>
  void visit(Visitor& v) {
    score.visit(v);
    v("json", json, "print one JSON object; bleu.score is the figure");
    v("replace-invalid", replace_invalid, "put U+FFFD in the place of bytes that are not UTF-8");
  }
};

int bleu(const std::string& hypotheses, const std::vector<std::string>& references,
         const BleuCommand& options) {
  std::vector<std::string> paths = {hypotheses};
  paths.insert(paths.end(), references.begin(), references.end());
  AlignedLines lines(paths, options.replace_invalid);
  std::vector<std::string> translations;
  std::vector<std::vector<std::string>> others;
  while (auto row = lines.next()) {
    translations.push_back(std::move(row->front()));
    row->erase(row->begin());
    others.push_back(std::move(*row));
  }
  if (translations.empty()) throw_error<DataError>("{}: there is no line in it", hypotheses);
  const TranslationScores scores = score_translations(translations, others, options.score);
  put_text(options.json ? scores.to_json(RONDO_VERSION).dump(2) + "\n" : scores.lines(RONDO_VERSION));
  return 0;
}

}  // namespace

Run add_bleu(CLI::App& app) {
  CLI::App* bleu_app = app.add_subcommand("bleu", "BLEU, chrF and TER of translations that stand in a file");
  bleu_app->footer(
      "The figures and signatures are sacrebleu's. A sentence a line, in the order of the references.\n"
      "Examples:\n"
      "  rondo bleu out.de test.de\n"
      "  rondo translate en-de.rondo test.en | rondo bleu - test.de other-test.de --json");
  auto hypotheses = std::make_shared<std::string>();
  auto references = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<BleuCommand>();
  bleu_app->add_option("translations", *hypotheses, "file of translations, or - for standard input")
      ->required();
  bleu_app->add_option("references", *references, "files of translations made by people, one at least")
      ->required()
      ->type_name("FILE");
  auto line = std::make_shared<CommandLine>(*bleu_app);
  line->add("Figures", *options);
  return [=] {
    line->apply();
    return bleu(*hypotheses, *references, *options);
  };
}

}  // namespace rondo::app
