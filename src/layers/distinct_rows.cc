#include "layers/distinct_rows.h"

namespace rondo {

Variable gather(const DistinctRows& distinct) {
  const Variable& x = distinct.x;
  if (distinct.rows.empty()) return x;
  Backend& backend = x.tape().backend();
  Tensor y({distinct.num_rows(), x.matrix().columns}, x.value().type());
  backend.gather_rows(x.matrix(), distinct.rows, y.matrix());
  return x.tape().make_result(y, {x}, [&backend, rows = distinct.rows](const Gradients& g) {
    backend.scatter_add_rows(g.result(), rows, g.input(0));
  });
}

DistinctRows observed(DistinctRows x) {
  Tape& tape = x.x.tape();
  if (!tape.options().tracing) return x;
  const Variable rows = gather(x);
  return {rows.needs_gradient() ? rows : tape.input(rows.value(), true), {}};
}

}  // namespace rondo
