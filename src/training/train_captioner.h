// From pictures and captions to a captioner's file: what `rondo train caption` does.
//   CaptionTask task;  task.files.images = "images";  task.files.captions = "captions.csv";
//   task.files.run.output = "captions.rondo";  TrainingObserver silent;
//   CaptionerReport report = train_captioner(task, *open_device("cpu"), silent);
#pragma once

#include "kernels/backend.h"
#include "training/captioner_training.h"
#include "training/training_observer.h"

namespace rondo {

struct CaptionerReport {
  LoopOutcome outcome;
  CaptionerEvaluation dev;  ///< of the state that was saved; empty when stopped
  std::string dev_text;     ///< what it was measured on
};

/// Reads, builds the vocabulary, trains, saves the state with the highest dev BLEU-4.
/// The file's bytes depend on the input, the options and the instruction set, not on threads, time or
/// interruptions.
/// @throws as train_classifier().
CaptionerReport train_captioner(const CaptionTask& task, Backend& backend, TrainingObserver& observer,
                                Profile* profile = nullptr);

}  // namespace rondo
