#include "training/file_check.h"

#include <filesystem>

#include "base/errors.h"
#include "base/files.h"
#include "training/training_loop.h"

namespace rondo {

namespace {

// A slip such as --log news.csv must not cost the data.
void check_no_file_twice(const TrainingFiles& files) {
  const std::pair<const char*, const std::string&> named[] = {{"input", files.input},
                                                              {"dev", files.dev},
                                                              {"output", files.output},
                                                              {"log", files.log},
                                                              {"report", files.report}};
  for (const auto& [written, target] : named) {
    if (&target == &files.input || &target == &files.dev) continue;
    for (const auto& [name, path] : named) {
      if (target.empty() || &path == &target || !same_file(path, target)) continue;
      throw_error<ConfigError>("--{} and --{} are one file, {}: it would be overwritten", name, written,
                               target);
    }
  }
}

}  // namespace

void check_files(const TrainingFiles& files) {
  if (files.input.empty()) throw_error<ConfigError>("--input is missing: the file to learn from");
  if (files.output.empty())
    throw_error<ConfigError>("--output is missing: the model file to write, such as news.rondo");
  check_no_file_twice(files);
  AtomicFile{files.output};  // can the folder be written?
  const std::pair<const char*, const std::string&> told[] = {{"log", files.log}, {"report", files.report}};
  for (const auto& [name, path] : told) {
    const auto folder = std::filesystem::path(path).parent_path();
    if (folder.empty() || std::filesystem::is_directory(folder)) continue;
    throw_error<IoError>("--{} {}: there is no folder {}", name, path, folder.string());
  }
  if (files.force) return;
  const std::string checkpoint = TrainingLoop::checkpoint_path(files);
  const bool resumes = files.resume && file_exists(checkpoint);
  for (const auto& [name, path] : told) {
    if (path.empty() || resumes || !std::filesystem::is_regular_file(path)) continue;
    throw_error<ConfigError>("--{}: {} exists; overwrite it with --force", name, path);
  }
  if (file_exists(checkpoint) && !files.resume) {
    throw_error<ConfigError>(
        "{} exists: a run was interrupted; go on with --resume, or begin anew with --force", checkpoint);
  }
  if (!file_exists(files.output)) return;
  if (!files.resume) throw_error<ConfigError>("{} exists; overwrite it with --force", files.output);
  if (!file_exists(checkpoint)) {
    throw_error<ConfigError>("{} is finished, there is nothing to resume; train anew with --force",
                             files.output);
  }
}

void check_not_overwritten(std::span<const std::string> read, const TrainingFiles& files) {
  check_not_overwritten(files.output, "output", read);
  check_not_overwritten(files.log, "log", read);
  check_not_overwritten(files.report, "report", read);
}

void check_precision(const RecurrentOptions& options) {
  if (options.precision != Precision::kInt8) return;
  if (options.cell == Cell::kGrid) {
    throw_error<ConfigError>("--precision int8: a grid runs in f32 or bf16; choose one of these");
  }
  throw_error<ConfigError>(
      "--precision int8: whole numbers have no gradients; train in f32 or bf16 and make the finished model "
      "int8 with rondo quantize");
}

}  // namespace rondo
