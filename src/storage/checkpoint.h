// Everything that training needs to go on as if it had never stopped, in one safetensors file.
//   write_checkpoint("news.rondo.checkpoint", {.model = ..., .state = {{"step", 1200}}, .optimizer = ...});
//   Checkpoint checkpoint = read_checkpoint("news.rondo.checkpoint");
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "storage/model_file.h"

namespace rondo {

/// Every number comes back with the same bits (but see ModelFile on infinities in JSON).
struct Checkpoint {
  ModelFile model;                                  ///< as it stands at this step
  nlohmann::json state = nlohmann::json::object();  ///< progress, counters, history, best metric
  NamedTensors optimizer;                           ///< in the file: optimizer/NAME
  NamedTensors best;     ///< the best weights so far; in the file: best/NAME. Empty: none
  NamedTensors average;  ///< of the weights over the updates; in the file: average/NAME. Empty: none
  NamedTensors task;     ///< what a step leaves for the next; in the file: task/NAME
};

/// By an AtomicFile: killed at any moment, the path holds the checkpoint before or this one.
/// @throws FormatError; IoError.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);

/// @throws FormatError that says what is wrong (a finished model is no checkpoint); IoError.
Checkpoint read_checkpoint(const std::string& path);

}  // namespace rondo
