#include "training/train_captioner.h"

#include <array>
#include <filesystem>

#include "base/errors.h"
#include "training/file_check.h"

namespace rondo {

namespace {

void check_sources(const CaptionFiles& files) {
  if (files.captions.empty()) {
    throw_error<ConfigError>("--captions is missing: a table of pictures' names and captions");
  }
  std::error_code none;
  if (!files.images.empty() && !std::filesystem::is_directory(files.images, none)) {
    throw_error<ConfigError>("{}: no folder of pictures; check --images", files.images);
  }
  check_not_overwritten(std::array{files.captions, files.dev_captions, files.features}, files.run);
}

}  // namespace

CaptionerReport train_captioner(const CaptionTask& given, Backend& backend, TrainingObserver& observer,
                                Profile* profile) {
  CaptionTask task = given;
  check_sources(task.files);
  task.files.run.input = task.files.captions;
  task.files.run.dev = task.files.dev_captions;
  check_files(task.files.run);
  if (task.model.precision == Precision::kInt8) {
    throw_error<ConfigError>("--precision int8: captioners run in f32 or bf16; choose one of these");
  }
  task.check();
  CaptionerTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files.run, observer, profile});
  const TrainingPlan plan = training.plan();
  CaptionerReport report{.outcome = loop.run(plan), .dev = {}, .dev_text = plan.dev_format};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
