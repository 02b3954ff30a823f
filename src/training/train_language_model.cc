#include "training/train_language_model.h"

#include "base/errors.h"
#include "training/file_check.h"
#include "training/language_model_training.h"

namespace rondo {

namespace {

void check_sources(const LanguageTask& task) {
  std::vector<std::string> read = task.corpus.also;
  read.push_back(task.corpus.sentencepiece);
  read.push_back(task.transfer.from);
  check_not_overwritten(read, task.files);
}

// Options that would have no effect beside the others, or that contradict them.
void check_options(const LanguageTask& task) {
  const LanguageCorpusOptions& corpus = task.corpus;
  const LanguageCorpusOptions defaults;
  const bool split = corpus.dev_fraction != defaults.dev_fraction || corpus.dev_split != defaults.dev_split;
  if (!task.files.dev.empty() && split) {
    throw_error<ConfigError>(
        "--dev-fraction and --dev-split have no effect beside --dev: nothing is held out");
  }
  const bool subwords = task.model.tokenizer == TokenizerKind::kSentencePiece;
  if (subwords && corpus.sentencepiece.empty() && corpus.subwords == 0 && task.transfer.from.empty()) {
    throw_error<ConfigError>(
        "--tokenizer sentencepiece: give --subwords N to train a model on the text, or --sentencepiece FILE");
  }
  if (!subwords && task.transfer.from.empty() && (corpus.subwords > 0 || !corpus.sentencepiece.empty())) {
    throw_error<ConfigError>("--{} has no effect with --tokenizer {}; give --tokenizer sentencepiece",
                             corpus.subwords > 0 ? "subwords" : "sentencepiece",
                             name_of(task.model.tokenizer));
  }
  if (!corpus.sentencepiece.empty() && corpus.subwords > 0) {
    throw_error<ConfigError>("--subwords and --sentencepiece: choose one of them");
  }
  if (task.unroll.carry == Carry::kAlways && corpus.dev_split == DevSplit::kRandom) {
    throw_error<ConfigError>(
        "--dev-split random draws documents, and with --carry always the text is one; give end or "
        "interleaved");
  }
  if (task.unroll.random_chunks && task.unroll.chunk == 0) {
    throw_error<ConfigError>("--random-chunks has no effect with --chunk 0");
  }
}

}  // namespace

LanguageReport train_language_model(const LanguageTask& given, Backend& backend, TrainingObserver& observer,
                                    Profile* profile) {
  LanguageTask task = given;
  task.leave_out_forget_bias();
  check_files(task.files);
  check_sources(task);
  check_options(task);
  check_precision(task.model.recurrent);
  if (task.transfer.from.empty()) task.model.check();  // else when its shape is known
  task.transfer.check();
  task.loop.check();
  LanguageModelTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files, observer, profile});
  const TrainingPlan plan = training.plan();
  LanguageReport report{.outcome = loop.run(plan), .dev = {}, .dev_text = plan.dev_format};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
