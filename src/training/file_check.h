// What is looked at before a training begins, so that hours of it are not lost.
#pragma once

#include <span>
#include <string>

#include "layers/recurrent_options.h"
#include "training/training_options.h"

namespace rondo {

/// @throws ConfigError if a file is missing, named twice, or stands where one would be written; IoError if
/// the output's folder cannot be written, or the log's is missing.
void check_files(const TrainingFiles& files);

/// @param read  files beside --input and --dev; empty names count for nothing.
/// @throws ConfigError if one of them stands where the run writes: what is read must not be lost by a slip.
void check_not_overwritten(std::span<const std::string> read, const TrainingFiles& files);

/// @throws ConfigError for int8, which has no gradients.
void check_precision(const RecurrentOptions& options);

}  // namespace rondo
