#include "layers/dropout.h"

#include "base/errors.h"

namespace rondo {

namespace {

// y[t, n] = x[t, n] * mask[n], or added to y.
void multiply_steps(Backend& backend, const PackedRows& rows, ConstMatrix x, const Tensor& mask, Matrix y,
                    bool accumulate) {
  for (int64_t t = 0; t < rows.steps(); ++t) {
    const int64_t first = rows.offsets[t], count = rows.count(t);
    backend.multiply(x.rows_at(first, count), mask.matrix().rows_at(0, count), y.rows_at(first, count),
                     accumulate);
  }
}

}  // namespace

Variable locked_dropout(const Variable& x, const Packing& packing, double probability) {
  if (x.matrix().rows != packing.num_rows()) {
    throw_error<ShapeError>("locked_dropout: x must be [{}, D], got {}", packing.num_rows(),
                            to_string(x.shape()));
  }
  if (probability == 0 || !x.tape().options().training) return x;
  Backend& backend = x.tape().backend();
  const DType type = x.value().type();
  const Tensor mask({packing.sequences(), x.matrix().columns}, type);
  const Tensor y(x.shape(), type);
  backend.dropout_mask(x.tape().next_stream(), probability, mask.matrix());
  multiply_steps(backend, packing.rows(), x.matrix(), mask, y.matrix(), false);
  return x.tape().make_result(y, {x}, [&backend, packing, mask](const Gradients& g) {
    multiply_steps(backend, packing.rows(), g.result(), mask, g.input(0), true);
  });
}

}  // namespace rondo
