// y = x W^T + b with its parameters: what turns a state into scores of labels.
#pragma once

#include <string>

#include "base/random.h"
#include "layers/initialize.h"
#include "tensor/parameter.h"
#include "tensor/tape.h"

namespace rondo {

/// torch: weights and bias U(+-1/sqrt(fan_in)). keras: Glorot-uniform, bias zero. An empty bias is left out.
void initialize_linear(Initialization rule, const Tensor& weight, const Tensor& bias, const Stream& stream);

struct LinearShape {
  int64_t input = 0;
  int64_t output = 0;
  DType type = DType::kFloat32;
};

class Linear {
 public:
  /// Adds NAME.weight [output, input] and NAME.bias [output].
  Linear(ParameterSet& set, const std::string& name, const LinearShape& shape);
  void initialize(Initialization rule, const Stream& stream);
  /// x [R, input] -> [R, output].
  Variable forward(const Variable& x, Precision precision = Precision::kFloat32) const;
  const Parameter& weight() const { return weight_; }
  const Parameter& bias() const { return bias_; }

 private:
  Parameter& weight_;
  Parameter& bias_;
};

}  // namespace rondo
