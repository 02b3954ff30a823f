// Looks at corpora before anything is trained on them, and at a model after: what is wrong, where, what to
// do.
//   Diagnosis diagnosis = examine({.train = "train.csv", .dev = "dev.csv"}, *open_device("cpu"));
//   diagnosis.text();
// spaCy's `debug data` is the model.
#pragma once

#include "inspect/examined.h"
#include "inspect/finding.h"
#include "kernels/backend.h"

namespace rondo {

/// What is to be looked at. All but `train` may be empty.
struct DoctorFiles {
  std::string train, target;  ///< target: translations, line by line
  std::string dev, dev_target;
  std::string model;
};

/// Every check that the files allow. A model is tried on the dev texts, or without them on those of train.
/// @throws DataError, IoError for files that no training would read; ConfigError for options that do not fit;
/// FormatError for a model that is none. Cost: reads each file twice; a few passes of the model.
Diagnosis examine(const DoctorFiles& files, const ExaminedFormat& format, Backend& backend);

/// Whether a file begins as a model file does: so the command tells a model from a dev set.
bool is_model_file(const std::string& path);

}  // namespace rondo
