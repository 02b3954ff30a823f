#include "tensor/parameter.h"

#include "base/errors.h"

namespace rondo {

void Parameter::clear_gradient() {
  gradient = Tensor();
  row_gradient = RowGradient();
}

Parameter& ParameterSet::add(std::string name, Tensor value) {
  name.insert(0, prefix_);
  for (const Parameter& parameter : parameters_) {
    if (parameter.name == name) throw_error<ConfigError>("two parameters are named {}", name);
  }
  Parameter& parameter = parameters_.emplace_back();
  parameter.name = std::move(name);
  parameter.value = std::move(value);
  return parameter;
}

Parameter& ParameterSet::find(const std::string& name) {
  for (Parameter& parameter : parameters_) {
    if (parameter.name == name) return parameter;
  }
  throw_error<ConfigError>("there is no parameter {}", name);
}

int64_t ParameterSet::num_values() const {
  int64_t total = 0;
  for (const Parameter& parameter : parameters_) total += parameter.value.size();
  return total;
}

void ParameterSet::clear_gradients() {
  for (Parameter& parameter : parameters_) parameter.clear_gradient();
}

}  // namespace rondo
