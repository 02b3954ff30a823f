#include "tensor/tape.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace rondo {

std::vector<Tensor> values_of(const std::vector<Variable>& variables) {
  std::vector<Tensor> values;
  for (const Variable& variable : variables) values.push_back(variable.value());
  return values;
}

ConstMatrix Gradients::result(size_t i) const { return (*results_)[i].gradient().matrix(); }

Tensor* Gradients::gradient_of(size_t i) const {
  const auto& slot = (*inputs_)[i].slot_;
  if (!slot || !slot->needs_gradient) return nullptr;
  return slot->parameter ? &slot->parameter->gradient : &slot->gradient;
}

Matrix Gradients::input(size_t i) const {
  Tensor* gradient = gradient_of(i);
  if (gradient == nullptr) return {};
  if (!*gradient) {
    const Tensor& value = (*inputs_)[i].value();
    *gradient = Tensor::zeros(value.shape(), value.type());
  }
  return gradient->matrix();
}

void Gradients::give(size_t i, const Tensor& gradient, Backend& backend) const {
  Tensor* sum = gradient_of(i);
  if (sum == nullptr) return;
  if (*sum) {
    backend.copy(gradient.matrix(), sum->matrix(), true);
  } else {
    *sum = gradient;
  }
}

Tape::Tape(Backend& backend, TapeOptions options) : backend_(backend), options_(options) {}

Variable Tape::make_variable(Tensor value, bool needs_gradient) {
  Variable variable;
  variable.slot_ = std::make_shared<Variable::Slot>();
  variable.slot_->value = std::move(value);
  variable.slot_->needs_gradient = needs_gradient && options_.recording;
  variable.slot_->tape = this;
  return variable;
}

Variable Tape::input(Tensor value, bool needs_gradient) {
  return make_variable(std::move(value), needs_gradient);
}

Variable Tape::parameter(Parameter& parameter) {
  if (parameter.sparse && parameter.learns() && options_.recording) {
    throw_error<ConfigError>("parameter {} has gradients by row: read it with embed()", parameter.name);
  }
  Variable variable = make_variable(parameter.value, parameter.learns());
  variable.slot_->parameter = &parameter;
  return variable;
}

std::vector<Variable> Tape::make_results(std::vector<Tensor> results, std::vector<Variable> inputs,
                                         Backward backward) {
  const bool wanted =
      std::any_of(inputs.begin(), inputs.end(), [](const Variable& input) { return input.needs_gradient(); });
  std::vector<Variable> variables;
  for (Tensor& result : results) variables.push_back(make_variable(std::move(result), wanted));
  if (wanted && options_.recording)
    operations_.push_back({variables, std::move(inputs), std::move(backward)});
  return variables;
}

Variable Tape::make_result(Tensor result, std::vector<Variable> inputs, Backward backward) {
  std::vector<Tensor> results;
  results.push_back(std::move(result));
  return make_results(std::move(results), std::move(inputs), std::move(backward)).front();
}

Variable Tape::make_source(Tensor result, Backward backward) {
  Variable variable = make_variable(std::move(result), true);
  if (options_.recording) operations_.push_back({{variable}, {}, std::move(backward)});
  return variable;
}

void Tape::backward(const Variable& loss) {
  if (loss.value().size() != 1) {
    throw_error<ShapeError>("backward: the loss must be [1], got {}", to_string(loss.shape()));
  }
  if (!loss.needs_gradient()) {
    throw_error<ConfigError>("backward: the loss depends on nothing that wants a gradient");
  }
  loss.slot_->gradient = Tensor(loss.shape(), loss.value().type());
  loss.slot_->gradient.fill(1);
  // Taken off the tape one by one: what only an operation held (its gates, the gradients of its results) is
  // free for the ones below it.
  while (!operations_.empty()) {
    Operation operation = std::move(operations_.back());
    operations_.pop_back();
    const bool reached =
        std::any_of(operation.results.begin(), operation.results.end(),
                    [](const Variable& result) { return static_cast<bool>(result.gradient()); });
    if (!reached) continue;
    Gradients gradients;
    gradients.results_ = &operation.results;
    gradients.inputs_ = &operation.inputs;
    operation.backward(gradients);
  }
}

}  // namespace rondo
