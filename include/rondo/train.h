// Training from C++, with the options of the command by the same names.
//   rondo::train_classifier({{"input", "news.csv"}, {"output", "news.rondo"}, {"hidden", "64"}, {"after",
//   "5e"}});
#pragma once

#include <map>
#include <string>

#include "rondo/errors.h"

namespace rondo {

/// What came out.
struct TrainingResult {
  double dev_accuracy = 0;  ///< of the state that was saved
  long long updates = 0;
};

/// Trains a text classifier and writes its model file. `rondo train classify --help` lists the options.
/// @param threads  0: one for each processor that the process may use. Changes speed, never results.
/// @throws ConfigError, DataError, IoError, FormatError; see rondo/errors.h.
TrainingResult train_classifier(const std::map<std::string, std::string>& options, int threads = 0);

}  // namespace rondo
