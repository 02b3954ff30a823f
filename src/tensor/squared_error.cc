#include "tensor/squared_error.h"

#include "base/errors.h"

namespace rondo {

Variable mean_squared_error(const Variable& y, const Tensor& targets) {
  if (y.shape() != targets.shape() || targets.size() == 0) {
    throw_error<ShapeError>("mean_squared_error: targets {} for y {}", to_string(targets.shape()),
                            to_string(y.shape()));
  }
  Backend& backend = y.tape().backend();
  const Tensor difference = targets.to(y.value().type()).reshape({1, targets.size()});
  const Matrix row = difference.matrix();
  const auto as_row = [](const Matrix& m) { return Matrix{m.data, m.type, 1, m.size(), m.size()}; };
  backend.scale(row, -1);
  backend.copy(as_row(y.matrix()), row, true);
  Tensor loss({1, 1}, difference.type());
  backend.product({.a = row, .b = row, .c = loss.matrix(), .transpose_b = true});
  backend.scale(loss.matrix(), 1 / static_cast<double>(targets.size()));
  return y.tape().make_result(loss.reshape({1}), {y}, [&backend, difference, as_row](const Gradients& g) {
    const Tensor d_y = difference.clone();
    backend.scale(d_y.matrix(), 2 / static_cast<double>(difference.size()));
    backend.product({.a = g.result(), .b = d_y.matrix(), .c = as_row(g.input(0)), .accumulate = true});
  });
}

}  // namespace rondo
