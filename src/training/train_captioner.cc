#include "training/train_captioner.h"

#include <array>
#include <filesystem>

#include "base/errors.h"
#include "base/files.h"
#include "training/caption_corpus.h"
#include "training/file_check.h"

namespace rondo {

namespace {

bool is_picture_of(const std::string& folder, const std::string& path) {
  std::error_code none;
  const std::filesystem::path parent = std::filesystem::absolute(path, none).parent_path();
  return names_picture(path) && file_exists(path) && std::filesystem::equivalent(parent, folder, none);
}

void check_sources(const CaptionFiles& files) {
  if (files.captions.empty()) {
    throw_error<ConfigError>("--captions is missing: a table of pictures' names and captions");
  }
  std::error_code none;
  if (!files.images.empty() && !std::filesystem::is_directory(files.images, none)) {
    throw_error<ConfigError>("{}: no folder of pictures; check --images", files.images);
  }
  check_not_overwritten(std::array{files.captions, files.dev_captions, files.features}, files.run);
  for (const std::string& target : {files.run.output, files.run.log, files.run.report}) {
    if (files.images.empty() || !is_picture_of(files.images, target)) continue;
    throw_error<ConfigError>("{} is a picture to learn from and would be overwritten; give another file",
                             target);
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
