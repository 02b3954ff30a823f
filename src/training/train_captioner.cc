#include "training/train_captioner.h"

#include <filesystem>

#include "base/errors.h"
#include "training/file_check.h"

namespace rondo {

namespace {

// A slip such as -o captions.csv must not cost what is read.
void check_sources(const CaptionFiles& files) {
  if (files.captions.empty()) {
    throw_error<ConfigError>("--captions is missing: a table of pictures' names and captions");
  }
  std::error_code none;
  if (!files.images.empty() && !std::filesystem::is_directory(files.images, none)) {
    throw_error<ConfigError>("{}: no folder of pictures; check --images", files.images);
  }
  for (const std::string* read : {&files.captions, &files.dev_captions, &files.features}) {
    for (const std::string* written : {&files.run.output, &files.run.log}) {
      if (read->empty() || written->empty()) continue;
      if (*read != *written && !std::filesystem::equivalent(*read, *written, none)) continue;
      throw_error<ConfigError>("{} is read and would be overwritten; give another --{}", *read,
                               written == &files.run.log ? "log" : "output");
    }
  }
}

}  // namespace

CaptionerReport train_captioner(const CaptionTask& given, Backend& backend, TrainingObserver& observer,
                                Profile* profile) {
  CaptionTask task = given;
  check_sources(task.files);
  task.files.run.input = task.files.captions;
  task.files.run.dev = task.files.dev_captions;
  check_files(task.files.run);
  check_precision(task.model.decoder());
  task.check();
  CaptionerTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files.run, observer, profile});
  const TrainingPlan plan = training.plan();
  CaptionerReport report{.outcome = loop.run(plan), .dev = {}, .dev_text = plan.dev_format};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
