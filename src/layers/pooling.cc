#include "layers/pooling.h"

#include "base/errors.h"
#include "layers/linear.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

void check_rows(const char* operation, const Variable& x, const Packing& packing) {
  if (x.matrix().rows != packing.num_rows()) {
    throw_error<ShapeError>("{}: x must have {} packed rows, got {}", operation, packing.num_rows(),
                            to_string(x.shape()));
  }
}

}  // namespace

Variable pool(Pool kind, const Variable& x, const Packing& packing) {
  check_rows("pool", x, packing);
  Backend& backend = x.tape().backend();
  const int64_t columns = x.matrix().columns;
  Tensor y({packing.sequences(), columns}, x.value().type());
  Tensor chosen = kind == Pool::kMax ? Tensor({packing.sequences(), columns}, DType::kInt32) : Tensor();
  backend.pool(kind, packing.rows(), x.matrix(), y.matrix(), chosen.matrix());
  return x.tape().make_result(y, {x}, [&backend, kind, packing, chosen](const Gradients& g) {
    backend.pool_backward(kind, packing.rows(), g.result(), chosen.matrix(), g.input(0));
  });
}

Attended attend(const Variable& scores, const Variable& x, const Packing& packing) {
  check_rows("attend", x, packing);
  check_rows("attend", scores, packing);
  Backend& backend = x.tape().backend();
  Tensor y({packing.sequences(), x.matrix().columns}, x.value().type());
  Tensor weights({packing.num_rows(), 1}, x.value().type());
  backend.attend(packing.rows(), scores.matrix(), x.matrix(), weights.matrix(), y.matrix());
  Variable result = x.tape().make_result(y, {scores, x}, [&backend, packing, weights, x](const Gradients& g) {
    backend.attend_backward(packing.rows(), weights.matrix(), x.matrix(), g.result(), g.input(0), g.input(1));
  });
  return {result, weights};
}

AttentionPooling::AttentionPooling(ParameterSet& set, int64_t input, DType type)
    : weight_(set.add("attention.weight", Tensor::zeros({input, input}, type))),
      bias_(set.add("attention.bias", Tensor::zeros({input}, type))),
      context_(set.add("attention.context", Tensor::zeros({1, input}, type))) {}

void AttentionPooling::initialize(Initialization rule, const Stream& stream) {
  initialize_linear(rule, weight_.value, bias_.value, stream.sub(0));
  initialize_linear(rule, context_.value, Tensor(), stream.sub(1));
}

Attended AttentionPooling::forward(const Variable& x, const Packing& packing, Precision precision) const {
  Tape& tape = x.tape();
  const Variable hidden =
      activate(Activation::kTanh, linear(x, tape.parameter(weight_), tape.parameter(bias_), precision));
  return attend(linear(hidden, tape.parameter(context_)), x, packing);
}

}  // namespace rondo
