#include "layers/linear.h"

#include <cmath>

#include "tensor/operations.h"

namespace rondo {

void initialize_linear(Initialization rule, const Tensor& weight, const Tensor& bias, const Stream& stream) {
  if (rule == Initialization::kKeras) {
    initialize_glorot(weight, weight.dim(1), weight.dim(0), stream.sub(0));
    if (bias) bias.fill(0);
    return;
  }
  const double bound = 1 / std::sqrt(static_cast<double>(weight.dim(1)));
  initialize_uniform(weight, -bound, bound, stream.sub(0));
  if (bias) initialize_uniform(bias, -bound, bound, stream.sub(1));
}

Linear::Linear(ParameterSet& set, const std::string& name, const LinearShape& shape)
    : weight_(set.add(name + ".weight", Tensor::zeros({shape.output, shape.input}, shape.type))),
      bias_(set.add(name + ".bias", Tensor::zeros({shape.output}, shape.type))) {}

void Linear::initialize(Initialization rule, const Stream& stream) {
  initialize_linear(rule, weight_.value, bias_.value, stream);
}

Variable Linear::forward(const Variable& x, Precision precision) const {
  return linear(x, x.tape().parameter(weight_), x.tape().parameter(bias_), precision);
}

}  // namespace rondo
