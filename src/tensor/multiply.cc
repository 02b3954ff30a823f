#include "tensor/multiply.h"

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

Variable multiply(const Variable& a, const Variable& b) {
  if (a.shape() != b.shape()) {
    throw_error<ShapeError>("multiply: b must be {}, got {}", to_string(a.shape()), to_string(b.shape()));
  }
  Backend& backend = a.tape().backend();
  const Tensor y(a.shape(), a.value().type());
  backend.multiply(a.matrix(), b.matrix(), y.matrix(), false);
  return a.tape().make_result(y, {a, b}, [&backend, a, b](const Gradients& g) {
    if (Matrix d_a = g.input(0)) backend.multiply(g.result(), b.matrix(), d_a, true);
    if (Matrix d_b = g.input(1)) backend.multiply(g.result(), a.matrix(), d_b, true);
  });
}

Variable multiply_rows(const Variable& x, const Variable& factors) {
  const int64_t rows = x.matrix().rows, columns = x.matrix().columns;
  if (factors.matrix().rows != rows || factors.matrix().columns != 1) {
    throw_error<ShapeError>("multiply_rows: factors must be [{}, 1], got {}", rows,
                            to_string(factors.shape()));
  }
  const Tensor ones({columns, 1}, x.value().type());
  ones.fill(1);
  return multiply(x, linear(factors, x.tape().input(ones)));
}

}  // namespace rondo
