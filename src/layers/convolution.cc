#include "layers/convolution.h"

#include "base/errors.h"
#include "layers/linear.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

/// Which row of x each step sees `offset` steps away; the last entry of `rows` is the edge.
std::vector<int32_t> shifted(const std::vector<int32_t>& rows, const Packing& packing, int64_t offset) {
  std::vector<int32_t> result(rows.size() - 1);
  const PackedRows layout = packing.rows();
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    const int64_t length = packing.length(n);
    for (int64_t t = 0; t < length; ++t) {
      const bool inside = t + offset >= 0 && t + offset < length;
      const int32_t seen = inside ? rows[static_cast<size_t>(layout.row(t + offset, n))] : rows.back();
      result[static_cast<size_t>(layout.row(t, n))] = seen;
    }
  }
  return result;
}

}  // namespace

Convolution::Convolution(ParameterSet& set, const ConvolutionShape& shape)
    : shape_(shape),
      weight_(set.add("conv.weight", Tensor::zeros({shape.filters, shape.window * shape.input}, shape.type))),
      bias_(set.add("conv.bias", Tensor::zeros({shape.filters}, shape.type))) {
  if (shape.window % 2 == 1) return;
  throw_error<ConfigError>("convolution: the window must be odd, as 3 or 5, got {}", shape.window);
}

void Convolution::initialize(Initialization rule, const Stream& stream) {
  initialize_linear(rule, weight_.value, bias_.value, stream);
}

Variable Convolution::forward(const DistinctRows& x, const Packing& packing) const {
  if (static_cast<int64_t>(x.rows.size()) != packing.num_rows() + 1 || x.x.matrix().columns != shape_.input) {
    throw_error<ShapeError>("convolution: x must be [{}, {}] with the edge, got [{}, {}]",
                            packing.num_rows() + 1, shape_.input, x.rows.size(), x.x.matrix().columns);
  }
  Tape& tape = x.x.tape();
  // Without a row gather() would take no rows for all of them.
  if (packing.num_rows() == 0) return tape.input(Tensor::zeros({0, shape_.filters}, shape_.type));
  const Variable weight = tape.parameter(weight_), bias = tape.parameter(bias_);
  const int64_t reach = shape_.window / 2;
  Variable sum;
  for (int64_t o = -reach; o <= reach; ++o) {
    const Variable place =
        slice(weight, {.first_column = (o + reach) * shape_.input, .columns = shape_.input});
    // Every different character is multiplied once, wherever it stands.
    const Variable products = linear(x.x, place, o == 0 ? bias : Variable());
    const Variable seen = gather({products, shifted(x.rows, packing, o)});
    sum = sum ? add(sum, seen) : seen;
  }
  return sum;
}

}  // namespace rondo
