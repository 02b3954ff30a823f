#include "training/train_translator.h"

#include <array>

#include "base/errors.h"
#include "training/file_check.h"
#include "training/translator_training.h"

namespace rondo {

namespace {

void check_sources(const TranslationFiles& files) {
  if (files.source.empty()) {
    throw_error<ConfigError>("--source is missing: the sentences to translate, such as train.en");
  }
  check_not_overwritten(std::array{files.source, files.target, files.dev_source, files.dev_target},
                        files.run);
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
