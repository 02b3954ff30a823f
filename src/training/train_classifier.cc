#include "training/train_classifier.h"

#include <array>

#include "base/errors.h"
#include "training/classifier_training.h"
#include "training/file_check.h"

namespace rondo {

namespace {

// Options of the data that would have no effect beside the others.
void check_corpus(const ClassifierTask& task) {
  const CorpusOptions& options = task.corpus;
  const CorpusOptions defaults;
  if (!task.files.dev.empty() && options.dev_fraction != defaults.dev_fraction) {
    throw_error<ConfigError>("--dev-fraction has no effect beside --dev: nothing is held out of the input");
  }
  const bool counted =
      options.min_count != defaults.min_count || options.max_vocabulary != 0 || options.vocabulary_texts != 0;
  const TokenizerKind tokenizer = task.model.tokenizer;
  if (options.subwords > 0 && !options.sentencepiece.empty()) {
    throw_error<ConfigError>("--subwords and --sentencepiece: either a model to train or one that is there");
  }
  if (options.subwords > 0 && tokenizer != TokenizerKind::kSentencePiece) {
    throw_error<ConfigError>("--subwords has no effect with --tokenizer {}; give --tokenizer sentencepiece",
                             name_of(tokenizer));
  }
  if (counted && (tokenizer == TokenizerKind::kSentencePiece || tokenizer == TokenizerKind::kBytes)) {
    throw_error<ConfigError>(
        "--min-count, --max-vocabulary and --vocabulary-texts have no effect with --tokenizer {}: {}",
        name_of(tokenizer),
        tokenizer == TokenizerKind::kBytes ? "its vocabulary is all bytes"
                                           : "its model holds the vocabulary");
  }
}

}  // namespace

TrainingReport train_classifier(const ClassifierTask& task, Backend& backend, TrainingObserver& observer,
                                Profile* profile) {
  check_files(task.files);
  check_not_overwritten(std::array{task.corpus.vectors, task.corpus.sentencepiece, task.transfer.from},
                        task.files);
  check_corpus(task);
  check_precision(task.model.recurrent);
  if (task.transfer.from.empty()) task.model.check();  // else when its shape is known
  task.transfer.check();
  task.loop.check();
  ClassifierTraining training(task, backend, profile);
  TrainingLoop loop({backend, training, task.loop, task.files, observer, profile});
  TrainingReport report{.outcome = loop.run(training.plan())};
  if (!report.outcome.stopped) report.dev = training.evaluation();
  return report;
}

}  // namespace rondo
