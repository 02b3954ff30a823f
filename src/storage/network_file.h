// What the files of all kinds of models have in common: options out of the configuration, weights by name.
#pragma once

#include <string>

#include "base/options.h"
#include "storage/model_file.h"
#include "tensor/parameter.h"

namespace rondo {

/// Sets the options from a configuration and checks them. @throws FormatError.
template <class Options>
Options read_options(const nlohmann::json& config, const std::string& path) {
  Options options;
  try {
    OptionList(options).from_json(config);
    options.check();
  } catch (const ConfigError& error) {
    throw_error<FormatError>("{}: its configuration: {}", path, error.what());
  }
  return options;
}

/// Before any memory is taken: a hostile configuration must not make us allocate what the file does not hold.
/// @param wanted  numbers that the configuration speaks of; a double, for hostile sizes overflow integers.
/// @throws FormatError if the file holds another count.
void check_num_values(double wanted, const ModelFile& file, const std::string& path);

void append_parameters(const ParameterSet& set, ModelFile& file);
/// Copies the weights. @throws FormatError if one is missing, of another shape, or belongs nowhere.
void fill_parameters(ParameterSet& set, const ModelFile& file, const std::string& path);

}  // namespace rondo
