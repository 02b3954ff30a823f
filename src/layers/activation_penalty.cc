#include "layers/activation_penalty.h"

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

Tensor filled(Shape shape, DType type, double value) {
  const Tensor tensor(std::move(shape), type);
  tensor.fill(value);
  return tensor;
}

// factor * mean of the squares of x -> [1]. Sums of columns first: a chain over all elements would lose
// digits.
Tensor mean_of_squares(Backend& backend, const Tensor& x, double factor) {
  const int64_t columns = x.dim(1);
  const Tensor squares(x.shape(), x.type());
  backend.multiply(x.matrix(), x.matrix(), squares.matrix(), false);
  const Tensor sums = Tensor::zeros({1, columns}, x.type());
  backend.add_column_sums(squares.matrix(), sums.matrix());
  const Tensor weights = filled({1, columns}, x.type(), factor / static_cast<double>(x.size()));
  const Tensor mean({1, 1}, x.type());
  backend.product({.a = sums.matrix(), .b = weights.matrix(), .c = mean.matrix(), .transpose_b = true});
  return mean.reshape({1});
}

// y += factor * x.
void add_scaled(Backend& backend, ConstMatrix x, double factor, Matrix y) {
  const Tensor row = filled({1, x.columns}, x.type, factor);
  backend.multiply(x, row.matrix(), y, true);
}

// y[t, n] += factor * x[t+1, n], where x begins with the rows of step 1 and y with those of step 0.
void add_to_earlier(Backend& backend, const PackedRows& rows, ConstMatrix x, double factor, Matrix y) {
  for (int64_t t = 1; t < rows.steps(); ++t) {
    add_scaled(backend, x.rows_at(rows.offsets[t] - rows.count(0), rows.count(t)), factor,
               y.rows_at(rows.offsets[t - 1], rows.count(t)));
  }
}

// difference[r] = h[t+1, n] - h[t, n] for each row h[t+1, n] of step 1 and later.
Tensor differences(Backend& backend, const PackedRows& rows, ConstMatrix h) {
  const int64_t first = rows.count(0), count = rows.rows() - first;
  const Tensor result({count, h.columns}, h.type);
  for (int64_t t = 1; t < rows.steps(); ++t) {
    backend.copy(h.rows_at(rows.offsets[t - 1], rows.count(t)),
                 result.matrix().rows_at(rows.offsets[t] - first, rows.count(t)), false);
  }
  backend.scale(result.matrix(), -1);
  backend.copy(h.rows_at(first, count), result.matrix(), true);
  return result;
}

Variable activation(const Variable& h, double factor) {
  Backend& backend = h.tape().backend();
  const double slope = 2 * factor / static_cast<double>(h.value().size());
  return h.tape().make_result(mean_of_squares(backend, h.value(), factor), {h},
                              [&backend, h, slope](const Gradients& g) {
                                add_scaled(backend, h.matrix(), slope * g.scalar(), g.input(0));
                              });
}

Variable temporal_activation(const Variable& h, const Packing& packing, double factor) {
  Backend& backend = h.tape().backend();
  const Tensor jumps = differences(backend, packing.rows(), h.matrix());
  const double slope = 2 * factor / static_cast<double>(jumps.size());
  return h.tape().make_result(
      mean_of_squares(backend, jumps, factor), {h}, [&backend, packing, jumps, slope](const Gradients& g) {
        const PackedRows rows = packing.rows();
        const Matrix d_h = g.input(0);
        add_scaled(backend, jumps.matrix(), slope * g.scalar(), d_h.rows_at(rows.count(0), jumps.dim(0)));
        add_to_earlier(backend, rows, jumps.matrix(), -slope * g.scalar(), d_h);
      });
}

void check(const char* what, const Variable& h, const Packing& packing) {
  if (h && h.matrix().rows == packing.num_rows()) return;
  throw_error<ShapeError>("activation_penalty: {} must be [{}, D], got {}", what, packing.num_rows(),
                          h ? to_string(h.shape()) : "nothing");
}

}  // namespace

Variable activation_penalty(const ActivationPenalty& pass, const Packing& packing) {
  check("dropped", pass.dropped, packing);
  check("raw", pass.raw, packing);
  const bool pairs = packing.rows().steps() > 1;
  Variable total;
  if (pass.ar != 0 && packing.num_rows() > 0) total = activation(pass.dropped, pass.ar);
  if (pass.tar != 0 && pairs) {
    const Variable temporal = temporal_activation(pass.raw, packing, pass.tar);
    total = total ? add(total, temporal) : temporal;
  }
  return total ? total : pass.raw.tape().input(Tensor::zeros({1}, pass.raw.value().type()));
}

}  // namespace rondo
