#include "training/train_translator.h"

#include <filesystem>

#include "base/errors.h"
#include "training/file_check.h"
#include "training/translator_training.h"

namespace rondo {

namespace {

// A slip such as -o train.de must not cost what is read.
void check_sources(const TranslationFiles& files) {
  if (files.source.empty()) {
    throw_error<ConfigError>("--source is missing: the sentences to translate, such as train.en");
  }
  for (const std::string* read : {&files.source, &files.target, &files.dev_source, &files.dev_target}) {
    for (const std::string* written : {&files.run.output, &files.run.log}) {
      std::error_code none;
      if (read->empty() || written->empty()) continue;
      if (*read != *written && !std::filesystem::equivalent(*read, *written, none)) continue;
      throw_error<ConfigError>("{} is read and would be overwritten; give another --{}", *read,
                               written == &files.run.log ? "log" : "output");
    }
  }
}

}  // namespace

TranslatorReport train_translator(const TranslationTask& given, Backend& backend, TrainingObserver& observer,
                                  Profile* profile) {
  TranslationTask task = given;
  check_sources(task.files);
  task.files.run.input = task.files.source;
  task.files.run.dev = task.files.dev_source;
  check_files(task.files.run);
  check_precision(task.model.decoder());
  task.check();
  TranslatorTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files.run, observer, profile});
  const TrainingPlan plan = training.plan();
  TranslatorReport report{.outcome = loop.run(plan), .dev = {}, .dev_text = plan.dev_format};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
