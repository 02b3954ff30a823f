#include "storage/network_file.h"

#include <set>

#include "base/errors.h"

namespace rondo {

void check_num_values(double wanted, const ModelFile& file, const std::string& path) {
  double stored = 0;
  for (const auto& [name, tensor] : file.tensors) stored += static_cast<double>(tensor.size());
  if (wanted != stored) {
    throw_error<FormatError>("{}: its configuration speaks of {:.0f} weights, the file holds {:.0f}", path,
                             wanted, stored);
  }
}

double num_values(const RecurrentOptions& options, double input) {
  const auto directions = static_cast<double>(options.directions());
  const auto blocks = static_cast<double>(options.kind().blocks());
  const auto peepholes = static_cast<double>(options.kind().peephole_rows());
  double total = 0;
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    const auto hidden = static_cast<double>(options.hidden_of(layer));
    const auto output = static_cast<double>(options.output_of(layer));
    const double projection = options.projection > 0 ? output : 0;
    total += directions * hidden * (blocks * (input + output + 2) + projection + peepholes);
    input = directions * output;
  }
  return total;
}

void append_parameters(const ParameterSet& set, ModelFile& file) {
  for (const Parameter& parameter : set.all()) file.tensors.emplace_back(parameter.name, parameter.value);
}

void fill_parameters(ParameterSet& set, const ModelFile& file, const std::string& path) {
  std::set<std::string> names;
  for (Parameter& parameter : set.all()) {
    const Tensor& tensor = file.find(parameter.name);
    if (tensor.shape() != parameter.value.shape() || tensor.type() != DType::kFloat32) {
      throw_error<FormatError>("{}: {} must be float32 {}, got {}", path, parameter.name,
                               to_string(parameter.value.shape()), to_string(tensor.shape()));
    }
    parameter.value = tensor.clone();
    names.insert(parameter.name);
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!names.contains(name))
      throw_error<FormatError>("{}: tensor {} belongs to no part of the model", path, name);
  }
}

}  // namespace rondo
