#include "training/train_tagger.h"

#include <array>

#include "base/errors.h"
#include "training/file_check.h"
#include "training/tagger_training.h"

namespace rondo {

namespace {

// Options that would have no effect beside the others.
void check_options(const TaggerTask& task) {
  const TaggerCorpusOptions& corpus = task.corpus;
  if (!task.files.dev.empty() && corpus.dev_fraction != TaggerCorpusOptions().dev_fraction) {
    throw_error<ConfigError>("--dev-fraction has no effect beside --dev: nothing is held out of the input");
  }
  if (corpus.all_vectors && corpus.vectors.empty()) {
    throw_error<ConfigError>("--all-vectors has no effect without --vectors");
  }
  const bool words = corpus.freeze_embeddings || !corpus.vectors.empty();
  if (task.model.embedding == 0 && words) {
    throw_error<ConfigError>("--vectors and --freeze-embeddings have no effect with --embedding 0");
  }
  const bool none = task.model.embedding == 0;
  refuse_without_effect(none && corpus.min_count != TaggerCorpusOptions().min_count, "min-count",
                        "--embedding");
  refuse_without_effect(none && corpus.max_vocabulary != 0, "max-vocabulary", "--embedding");
}

}  // namespace

TaggerReport train_tagger(const TaggerTask& task, Backend& backend, TrainingObserver& observer,
                          Profile* profile) {
  check_files(task.files);
  check_not_overwritten(std::array{task.corpus.vectors}, task.files);
  check_options(task);
  check_precision(task.model.recurrent);
  task.model.check();
  task.loop.check();
  TaggerTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files, observer, profile});
  TaggerReport report{.outcome = loop.run(training.plan()), .dev = {}};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
