// From sentences with tags to a model file: what `rondo train tag` does.
//   TaggerTask task;  task.files.input = "train.conll";  task.files.output = "names.rondo";
//   TrainingObserver silent;  TaggerReport report = train_tagger(task, *open_device("cpu"), silent);
#pragma once

#include "training/tagger_evaluation.h"
#include "training/tagger_options.h"
#include "training/training_loop.h"

namespace rondo {

struct TaggerReport {
  LoopOutcome outcome;
  TaggerEvaluation dev;  ///< of the state that was saved; empty when stopped
};

/// Reads, builds the vocabularies, trains, saves the best dev state. The file's bytes depend on the input,
/// the options and the instruction set, not on threads, time or interruptions.
/// @throws ConfigError (options that do not fit, an output that exists), DataError (`train.conll:12: ...`),
/// IoError, FormatError (a damaged checkpoint), Error (gradients stayed infinite).
TaggerReport train_tagger(const TaggerTask& task, Backend& backend, TrainingObserver& observer,
                          Profile* profile = nullptr);

}  // namespace rondo
