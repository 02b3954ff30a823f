// From a labelled file to a model file: what `rondo train classify` does.
//   ClassifierTask task;  task.files.input = "news.csv";  task.files.output = "news.rondo";
//   TrainingObserver silent;  TrainingReport report = train_classifier(task, *open_device("cpu"), silent);
#pragma once

#include "kernels/backend.h"
#include "training/metrics.h"
#include "training/training_loop.h"
#include "training/training_observer.h"
#include "training/training_options.h"

namespace rondo {

struct TrainingReport {
  LoopOutcome outcome;
  Evaluation dev;  ///< of the state that was saved; empty when stopped
};

/// Reads, builds the vocabulary, trains, saves the best dev state.
/// The file's bytes depend on the input, the options and the instruction set, not on threads, time or
/// interruptions.
/// @throws ConfigError (options that do not fit, an output that exists), DataError (`news.csv:1042: ...`),
/// IoError, FormatError (a damaged checkpoint), Error (gradients stayed infinite).
TrainingReport train_classifier(const ClassifierTask& task, Backend& backend, TrainingObserver& observer,
                                Profile* profile = nullptr);

}  // namespace rondo
