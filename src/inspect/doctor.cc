#include "inspect/doctor.h"

#include <fmt/format.h>

#include <array>
#include <optional>

#include "base/errors.h"
#include "base/files.h"
#include "inspect/corpus_checks.h"
#include "inspect/label_checks.h"
#include "inspect/model_checks.h"
#include "inspect/raw_lines.h"
#include "storage/model_file.h"

namespace rondo {

namespace {

// What a word must be seen as often as to be known, unless --min-count says otherwise: the defaults of
// training.
int64_t min_count(ExaminedTask task) {
  return task == ExaminedTask::kTag || task == ExaminedTask::kLm ? 1 : 2;
}

ExaminedTask task_for(const DoctorFiles& files, const ExaminedFormat& format,
                      const std::optional<ModelFile>& model) {
  if (format.task != ExaminedTask::kAuto) return format.task;
  if (model) return task_of(*model);
  return files.target.empty() ? task_by_name(files.train) : ExaminedTask::kTranslate;
}

void check_files(const DoctorFiles& files, ExaminedTask task) {
  for (const std::string* path : {&files.train, &files.target, &files.dev, &files.dev_target}) {
    if (*path == "-")
      throw_error<ConfigError>("doctor reads its files twice: give files, not standard input");
  }
  if (task != ExaminedTask::kTranslate && !(files.target.empty() && files.dev_target.empty())) {
    throw_error<ConfigError>(
        "--target and --dev-target have no effect on a {}; leave them out, or give --task translate",
        name_of(task));
  }
  if (files.target.empty() != files.dev_target.empty() && !files.dev.empty()) {
    throw_error<ConfigError>(
        "--{} is missing: both or neither of the files have their translations beside them",
        files.target.empty() ? "target" : "dev-target");
  }
}

void measure(const ExaminedCorpus& corpus, const char* name, Diagnosis& diagnosis) {
  diagnosis.measures.push_back(
      {name, fmt::format("{}: {} {} ({})", corpus.path, grouped(corpus.size()), corpus.noun, corpus.format)});
}

void check_corpora(const DoctorFiles& files, const ExaminedFormat& format, Diagnosis& diagnosis) {
  for (const char* check : {"encoding", "characters", "markup"}) diagnosis.checked.emplace_back(check);
  for (const std::string* path : {&files.train, &files.target, &files.dev, &files.dev_target}) {
    if (!path->empty()) check_raw_lines(*path, diagnosis);
  }
  ExaminedWords words;
  const ExaminedCorpus train = read_examined(files.train, files.target, format, words);
  measure(train, "train", diagnosis);
  std::optional<ExaminedCorpus> dev;
  if (!files.dev.empty()) {
    dev = read_examined(files.dev, files.dev_target, format, words);
    measure(*dev, "dev", diagnosis);
  }
  const ExaminedPair pair{.train = train, .dev = dev ? &*dev : nullptr, .words = words, .task = format.task};
  check_overlap(pair, diagnosis);
  check_conflicts(pair, diagnosis);
  check_labels(pair, diagnosis);
  check_leaks(pair, diagnosis);
  check_tag_order(pair, diagnosis);
  check_duplicates(pair, diagnosis);
  check_empty(pair, diagnosis);
  check_pairs(pair, diagnosis);
  check_unknown_words(pair, min_count(format.task), diagnosis);
  check_lengths(pair, diagnosis);
  check_sizes(pair, diagnosis);
}

}  // namespace

bool is_model_file(const std::string& path) {
  if (path == "-") return false;
  std::array<char, 10> begin{};
  ByteReader reader(path);
  size_t got = 0;
  while (got < begin.size()) {
    const size_t more = reader.read(std::span(begin).subspan(got));
    if (more == 0) return false;
    got += more;
  }
  // Safetensors: the header's length in eight bytes, the last of them zero, then JSON.
  return begin[7] == 0 && begin[6] == 0 && begin[8] == '{' && begin[9] == '"';
}

Diagnosis examine(const DoctorFiles& files, const ExaminedFormat& given, Backend& backend) {
  std::optional<ModelFile> model;
  if (!files.model.empty()) model = read_model_file(files.model);
  ExaminedFormat format = given;
  format.task = task_for(files, given, model);
  check_files(files, format.task);
  if (model && format.task != task_of(*model)) {
    throw_error<ConfigError>("--task {}: {} holds a {}", name_of(format.task), files.model,
                             kind_in_words(*model));
  }
  Diagnosis diagnosis;
  check_corpora(files, format, diagnosis);
  if (model) {
    const bool has_dev = !files.dev.empty();
    diagnosis.measures.push_back(
        {"model", fmt::format("{}: a {}, tried on {}", files.model, kind_in_words(*model),
                              has_dev ? files.dev : files.train + ", which it may know")});
    check_model(*model, files.model,
                {.path = has_dev ? files.dev : files.train,
                 .target = has_dev ? files.dev_target : files.target,
                 .format = format},
                backend, diagnosis);
  }
  diagnosis.sort();
  return diagnosis;
}

}  // namespace rondo
