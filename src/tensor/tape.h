// Records operations as they run, and plays them back in reverse for gradients. Coarse: an operation is a
// whole layer's pass.
//   Tape tape(backend, {.recording = true});
//   Variable y = tanh(linear(tape.input(x), tape.parameter(w), tape.parameter(b)));
//   tape.backward(loss);   // parameter.gradient holds d loss / d parameter
// An operation is one screen: check, forward, gradient lambda (see operations.cc).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/random.h"
#include "kernels/backend.h"
#include "tensor/parameter.h"
#include "tensor/tensor.h"

namespace rondo {

class Tape;

/// A value on the tape. Copying it copies the handle.
class Variable {
 public:
  Variable() = default;
  explicit operator bool() const { return slot_ != nullptr; }
  const Tensor& value() const { return slot_->value; }
  Matrix matrix() const { return slot_ ? slot_->value.matrix() : Matrix{}; }
  const Shape& shape() const { return slot_->value.shape(); }
  Tape& tape() const { return *slot_->tape; }
  bool needs_gradient() const { return slot_ && slot_->needs_gradient; }
  /// d loss / d this after backward(); empty if nothing arrived.
  const Tensor& gradient() const { return slot_->gradient; }

 private:
  friend class Tape;
  friend class Gradients;
  struct Slot {
    Tensor value;
    Tensor gradient;
    Parameter* parameter = nullptr;
    bool needs_gradient = false;
    Tape* tape = nullptr;
  };
  std::shared_ptr<Slot> slot_;
};

/// The numbers without the tape that they stand on.
std::vector<Tensor> values_of(const std::vector<Variable>& variables);

/// What a gradient lambda sees: gradients of the results (given) and of the inputs (to add to).
class Gradients {
 public:
  /// d loss / d result i; empty if the loss does not depend on it.
  ConstMatrix result(size_t i = 0) const;
  /// Where d loss / d input i is added; empty if it is not wanted.
  Matrix input(size_t i) const;
  /// Of a result [1]: d loss / d result as a number (the real part of a complex one).
  double scalar(size_t i = 0) const { return (*results_)[i].gradient().at(0); }
  /// Adds `gradient`, whose numbers nobody else uses, to that of input i; the first one is taken over as it
  /// is.
  void give(size_t i, const Tensor& gradient, Backend& backend) const;

 private:
  friend class Tape;
  Tensor* gradient_of(size_t i) const;
  std::vector<Variable>* results_ = nullptr;
  std::vector<Variable>* inputs_ = nullptr;
};

struct TapeOptions {
  bool recording = false;  ///< keep what backward() needs
  bool training = false;   ///< dropout is on
  bool tracing = false;    ///< layers keep their gates and states for a reader
  Stream random{0};        ///< of this step; each dropout takes the next stream from it
};

class Tape {
 public:
  explicit Tape(Backend& backend, TapeOptions options = {});
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  Backend& backend() const { return backend_; }
  const TapeOptions& options() const { return options_; }
  /// A stream of random numbers of its own for each call, in the order of calls.
  Stream next_stream() { return options_.random.sub(++streams_); }

  /// A value from outside. With `needs_gradient` its gradient can be read after backward().
  Variable input(Tensor value, bool needs_gradient = false);
  Variable parameter(Parameter& parameter);

  using Backward = std::function<void(const Gradients&)>;
  /// Puts an operation with its results on the tape. `backward` adds to the gradients of `inputs`; it is
  /// dropped when not recording or when no input wants a gradient.
  std::vector<Variable> make_results(std::vector<Tensor> results, std::vector<Variable> inputs,
                                     Backward backward);
  Variable make_result(Tensor result, std::vector<Variable> inputs, Backward backward);
  /// For operations that read a sparse parameter: `backward` runs even if `inputs` want nothing.
  Variable make_source(Tensor result, Backward backward);

  /// Runs the operations in reverse from `loss` ([1]) and takes them off the tape; gradients of parameters
  /// are added to Parameter::gradient.
  void backward(const Variable& loss);

 private:
  struct Operation {
    std::vector<Variable> results, inputs;
    Backward backward;
  };
  Variable make_variable(Tensor value, bool needs_gradient);

  Backend& backend_;
  TapeOptions options_;
  uint64_t streams_ = 0;
  std::vector<Operation> operations_;
};

}  // namespace rondo
