// What is looked at before a training begins, so that hours of it are not lost.
#pragma once

#include <initializer_list>
#include <string>

#include "layers/recurrent_options.h"
#include "training/training_options.h"

namespace rondo {

/// @throws ConfigError if a file is missing, named twice, or stands where one would be written; IoError if
/// the output's folder cannot be written, or the log's is missing.
void check_files(const TrainingFiles& files);

/// A slip such as -o train.de must not cost what is read. @param read  empty names count for nothing.
/// @throws ConfigError if one of them stands where the run writes.
void check_not_overwritten(std::initializer_list<std::string> read, const TrainingFiles& files);

/// @throws ConfigError for int8, which has no gradients.
void check_precision(const RecurrentOptions& options);

}  // namespace rondo
