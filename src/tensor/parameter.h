// A trained tensor with its name and gradient, and the set of them that a model owns.
//   ParameterSet set;  Parameter& w = set.add("linear.weight", Tensor::zeros({4, 256}));
#pragma once

#include <deque>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace rondo {

/// The gradient of some rows of a table: an embedding's step touches a few hundred rows of a hundred
/// thousand.
struct RowGradient {
  std::vector<int32_t> rows;  ///< rising, each once
  Tensor values;              ///< [rows, D]
};

struct Parameter {
  std::string name;  ///< PyTorch's: lstm.weight_ih_l0_reverse
  Tensor value;
  bool trainable = true;
  double rate = 1;           ///< share of the learning rate; 0: frozen for now
  bool sparse = false;       ///< a table whose gradient comes as row_gradient, never as gradient
  Tensor gradient;           ///< same shape, or empty before the first backward pass of a step
  RowGradient row_gradient;  ///< of a sparse parameter
  /// Called with the rows (rising, each once) that a training pass is about to read from a sparse parameter:
  /// an optimiser that leaves untouched rows behind brings these up to date.
  std::function<void(std::span<const int32_t>)> before_read;

  /// Whether a backward pass gives it a gradient.
  bool learns() const { return trainable && rate > 0; }
  void clear_gradient();
};

/// Owns parameters; references stay valid.
class ParameterSet {
 public:
  ParameterSet() = default;
  ParameterSet(const ParameterSet&) = delete;
  ParameterSet& operator=(const ParameterSet&) = delete;

  /// Parameters added from now on begin their names with this, such as "encoder."; *this, to pass it on.
  ParameterSet& under(std::string prefix) {
    prefix_ = std::move(prefix);
    return *this;
  }
  Parameter& add(std::string name, Tensor value);
  /// @throws ConfigError if there is none of this name.
  Parameter& find(const std::string& name);
  std::deque<Parameter>& all() { return parameters_; }
  const std::deque<Parameter>& all() const { return parameters_; }
  int64_t num_values() const;
  void clear_gradients();

 private:
  std::deque<Parameter> parameters_;
  std::string prefix_;
};

}  // namespace rondo
