// From pairs of sentences to a translator's file: what `rondo train translate` does.
//   TranslationTask task;  task.files.source = "train.en";  task.files.target = "train.de";
//   task.files.run.output = "en-de.rondo";  TrainingObserver silent;
//   TranslatorReport report = train_translator(task, *open_device("cpu"), silent);
#pragma once

#include "kernels/backend.h"
#include "training/training_loop.h"
#include "training/training_observer.h"
#include "training/translation_options.h"
#include "training/translator_evaluation.h"

namespace rondo {

struct TranslatorReport {
  LoopOutcome outcome;
  TranslatorEvaluation dev;  ///< of the state that was saved; empty when stopped
  std::string dev_text;      ///< what it was measured on
};

/// Reads, builds the vocabularies, trains, saves the state with the highest dev BLEU.
/// The file's bytes depend on the input, the options and the instruction set, not on threads, time or
/// interruptions.
/// @throws as train_classifier().
TranslatorReport train_translator(const TranslationTask& task, Backend& backend, TrainingObserver& observer,
                                  Profile* profile = nullptr);

}  // namespace rondo
