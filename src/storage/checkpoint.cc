#include "storage/checkpoint.h"

#include <algorithm>

#include "base/errors.h"
#include "storage/json_text.h"

namespace rondo {

namespace {

constexpr std::string_view kOptimizer = "optimizer/";
constexpr std::string_view kBest = "best/";
constexpr std::string_view kAverage = "average/";
constexpr std::string_view kTask = "task/";

void append(TensorFile& file, std::string_view prefix, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) file.tensors.emplace_back(std::string(prefix) + name, tensor);
}

/// Moves the tensors whose names begin with `prefix` out of the file and drops the prefix.
NamedTensors take(TensorFile& file, std::string_view prefix) {
  NamedTensors taken, left;
  for (auto& [name, tensor] : file.tensors) {
    if (name.starts_with(prefix)) {
      taken.emplace_back(name.substr(prefix.size()), std::move(tensor));
    } else {
      left.emplace_back(std::move(name), std::move(tensor));
    }
  }
  file.tensors = std::move(left);
  return taken;
}

/// Takes a value out of the metadata: what is left is the model's.
std::string take_metadata(TensorFile& file, const std::string& key, const std::string& path) {
  auto node = file.metadata.extract(key);
  if (!node) throw_error<FormatError>("{}: its metadata has no {}: the file is damaged", path, key);
  return std::move(node.mapped());
}

}  // namespace

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint) {
  TensorFile file = to_tensor_file(checkpoint.model);
  file.metadata["model_kind"] = checkpoint.model.kind;
  file.metadata["kind"] = "checkpoint";
  file.metadata["state"] = json_text(checkpoint.state, "state");
  append(file, kOptimizer, checkpoint.optimizer);
  append(file, kBest, checkpoint.best);
  append(file, kAverage, checkpoint.average);
  append(file, kTask, checkpoint.task);
  // Bytes last: behind them numbers would be off their natural alignment.
  std::stable_partition(file.tensors.begin(), file.tensors.end(),
                        [](const auto& tensor) { return tensor.second.type() != DType::kUint8; });
  file.metadata["checksum"] = checksum(file);
  write_tensor_file(path, file);
}

Checkpoint read_checkpoint(const std::string& path) {
  TensorFile file = read_tensor_file(path);
  check_rondo_file(file, path);
  const std::string kind = take_metadata(file, "kind", path);
  if (kind != "checkpoint") {
    throw_error<FormatError>("{}: a finished model ({}), not a checkpoint of a training", path, kind);
  }
  file.metadata.erase("checksum");  // it was over the whole checkpoint
  file.metadata["kind"] = take_metadata(file, "model_kind", path);
  Checkpoint checkpoint;
  checkpoint.state = parse_json_object(take_metadata(file, "state", path), path + ": state");
  checkpoint.optimizer = take(file, kOptimizer);
  checkpoint.best = take(file, kBest);
  checkpoint.average = take(file, kAverage);
  checkpoint.task = take(file, kTask);
  checkpoint.model = from_tensor_file(std::move(file), path);
  return checkpoint;
}

}  // namespace rondo
