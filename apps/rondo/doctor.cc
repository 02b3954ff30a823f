// rondo doctor: what is wrong with a corpus before training, and with a model after it.

#include "inspect/doctor.h"

#include "command_line.h"
#include "console.h"
#include "tensor/device.h"
#include "verbs.h"

namespace rondo {

enum class FailOn { kProblem, kWarning, kNever };

template <>
inline constexpr auto kNames<FailOn> =
    std::array{std::pair{FailOn::kProblem, "problem"}, std::pair{FailOn::kWarning, "warning"},
               std::pair{FailOn::kNever, "never"}};

}  // namespace rondo

namespace rondo::app {

namespace {

struct DoctorOptions {
  bool json = false;
  FailOn fail_on = FailOn::kProblem;
  std::string target, dev_target;
  ExaminedFormat format;

  template <class Visitor>
  void visit(Visitor& v) {
    v("json", json, "print one JSON object: measures, checked, findings, and how many of each severity");
    v("fail-on", fail_on, "from which severity on the exit status is 1");
    v("target", target, "translations of the first file, line by line: the files are pairs for a translator");
    v("dev-target", dev_target, "translations of the dev file, line by line");
    format.visit(v);
  }
};

// Train, dev, model: the last two may be missing, and a model is told by what is in it.
DoctorFiles files_of(const std::vector<std::string>& words, const DoctorOptions& options) {
  DoctorFiles files{
      .train = words[0], .target = options.target, .dev = {}, .dev_target = options.dev_target, .model = {}};
  std::vector<std::string> rest(words.begin() + 1, words.end());
  if (!rest.empty() && is_model_file(rest.back())) {
    files.model = rest.back();
    rest.pop_back();
  }
  if (!rest.empty()) files.dev = rest[0];
  if (rest.size() > 1) {
    throw_error<ConfigError>("{} is no model; give train, dev and model, in this order", rest[1]);
  }
  if (is_model_file(files.train)) {
    throw_error<ConfigError>("{} is a model; the texts come first: rondo doctor train.csv dev.csv {}",
                             files.train, files.train);
  }
  return files;
}

int doctor(const std::vector<std::string>& words, const DoctorOptions& options, const RunOptions& run) {
  const DoctorFiles files = files_of(words, options);
  const auto backend = open_device(run.device, run.threads);
  const Diagnosis diagnosis = examine(files, options.format, *backend);
  put_text(options.json ? diagnosis.to_json().dump(2) + "\n" : diagnosis.text());
  const int64_t problems = diagnosis.count(Severity::kProblem),
                warnings = diagnosis.count(Severity::kWarning);
  switch (options.fail_on) {
    case FailOn::kProblem:
      return problems > 0 ? 1 : 0;
    case FailOn::kWarning:
      return problems + warnings > 0 ? 1 : 0;
    case FailOn::kNever:
      break;
  }
  return 0;
}

}  // namespace

Run add_doctor(CLI::App& app) {
  CLI::App* doctor_app = app.add_subcommand("doctor", "what is wrong with a corpus, and with a model");
  doctor_app->footer(
      "Examples:\n"
      "  rondo doctor news.csv\n"
      "  rondo doctor train.csv dev.csv news.rondo\n"
      "  rondo doctor train.conll dev.conll\n"
      "  rondo doctor train.en val.en --target train.de --dev-target val.de\n\n"
      "Exit status: 0, or 1 where a problem was found (--fail-on); 2 wrong usage, 3 a file that cannot be "
      "read.");
  auto words = std::make_shared<std::vector<std::string>>();
  auto options = std::make_shared<DoctorOptions>();
  auto run = std::make_shared<RunOptions>();
  doctor_app
      ->add_option("files", *words,
                   "texts to learn from, texts to measure on, a model: the first, or all three")
      ->required()
      ->expected(1, 3)
      ->type_name("FILE");
  auto line = std::make_shared<CommandLine>(*doctor_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return doctor(*words, *options, *run);
  };
}

}  // namespace rondo::app
