// From a text to a language model's file: what `rondo train lm` does.
//   LanguageTask task;  task.files.input = "poems.txt";  task.files.output = "poems.rondo";
//   TrainingObserver silent;  LanguageReport report = train_language_model(task, *open_device("cpu"),
//   silent);
#pragma once

#include "kernels/backend.h"
#include "training/language_model_evaluation.h"
#include "training/language_options.h"
#include "training/training_loop.h"
#include "training/training_observer.h"

namespace rondo {

struct LanguageReport {
  LoopOutcome outcome;
  LanguageEvaluation dev;  ///< of the state that was saved; empty when stopped
  std::string dev_text;    ///< what it was measured on
};

/// Reads, builds the vocabulary, trains, saves the state with the lowest dev loss.
/// The file's bytes depend on the input, the options and the instruction set, not on threads, time or
/// interruptions.
/// @throws as train_classifier().
LanguageReport train_language_model(const LanguageTask& task, Backend& backend, TrainingObserver& observer,
                                    Profile* profile = nullptr);

}  // namespace rondo
