// rondo doctor: what is wrong with a corpus before training, and with a model after it.

#include "inspect/doctor.h"

#include <utility>

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

// What was written on the command line; dev and model may be missing, and a model is told by what is in it.
struct Words {
  std::string train, dev, model;
};

DoctorFiles files_of(const Words& words, const DoctorOptions& options) {
  DoctorFiles files{.train = words.train,
                    .target = options.target,
                    .dev = words.dev,
                    .dev_target = options.dev_target,
                    .model = words.model};
  if (is_model_file(files.train)) {
    throw_error<ConfigError>("{} is a model; the texts come first: rondo doctor train.csv dev.csv {}",
                             files.train, files.train);
  }
  if (!files.dev.empty() && files.model.empty() && is_model_file(files.dev))
    std::swap(files.dev, files.model);
  if (!files.model.empty() && !is_model_file(files.model)) {
    throw_error<ConfigError>("{} is no model; give train, dev and model, in this order", files.model);
  }
  return files;
}

int doctor(const Words& words, const DoctorOptions& options, const RunOptions& run) {
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
  auto words = std::make_shared<Words>();
  auto options = std::make_shared<DoctorOptions>();
  auto run = std::make_shared<RunOptions>();
  doctor_app->add_option("train", words->train, "texts to learn from")->required();
  doctor_app->add_option("dev", words->dev, "texts to measure on; a model may stand here, too");
  doctor_app->add_option("model", words->model, "a model that learnt from them");
  auto line = std::make_shared<CommandLine>(*doctor_app);
  line->add("Output and input", *options);
  line->add("Machine", *run);
  return [=] {
    line->apply();
    return doctor(*words, *options, *run);
  };
}

}  // namespace rondo::app
