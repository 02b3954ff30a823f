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

namespace {

const Tensor& find_in(const ModelFile& file, const std::string& name, const std::string& path) {
  try {
    return file.find(name);
  } catch (const FormatError& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
}

}  // namespace

void append_parameters(const ParameterSet& set, ModelFile& file) {
  for (const Parameter& parameter : set.all()) file.tensors.emplace_back(parameter.name, parameter.value);
}

void fill_parameters(ParameterSet& set, const ModelFile& file, const std::string& path) {
  std::set<std::string> names;
  for (Parameter& parameter : set.all()) {
    const Tensor& tensor = find_in(file, parameter.name, path);
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
