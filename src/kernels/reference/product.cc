#include "kernels/reference/product.h"

#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {

using reference::Checks;
using reference::multiply_matrices;
using reference::with_scalar;

void reference::check_product(const Product& p) {
  const int64_t m = p.transpose_a ? p.a.columns : p.a.rows;
  const int64_t k = p.transpose_a ? p.a.rows : p.a.columns;
  const int64_t n = p.transpose_b ? p.b.rows : p.b.columns;
  const Checks checks("product", p.a.type);
  checks.shape("a", p.a, p.a.rows, p.a.columns);
  checks.shape("b", p.b, p.transpose_b ? n : k, p.transpose_b ? k : n);
  checks.shape("c", p.c, m, n);
  checks.optional("bias", p.bias, 1, n);
  if (p.precision == Precision::kInt8) {
    throw_error<ShapeError>("product: int8 is for recurrent passes; multiply in float32 or bfloat16");
  }
  if (p.bias && p.accumulate) {
    throw_error<ShapeError>("product: begins with the bias or with c, got both bias and accumulate");
  }
}

void ReferenceBackend::product(const Product& p) {
  reference::check_product(p);
  with_scalar("product", p.a.type, [&]<class T>(T) { multiply_matrices<T>(p); });
}

}  // namespace rondo
