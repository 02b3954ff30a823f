#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/view.h"

namespace rondo {

using reference::Checks;
using reference::view;
using reference::View;
using reference::with_scalar;

// Inverted dropout: what is kept grows by 1/(1-probability), so that the mean is the identity and nothing is
// done at inference. The factor is rounded to float, so that the mask is the same in every scalar type.
void ReferenceBackend::dropout_mask(const Stream& stream, double probability, Matrix mask) {
  if (!(probability >= 0 && probability <= 1)) {
    throw_error<ConfigError>("dropout_mask: probability must be 0 to 1, got {}", probability);
  }
  Checks("dropout_mask", mask.type).shape("mask", mask, mask.rows, mask.columns);
  const float kept = probability < 1 ? static_cast<float>(1 / (1 - probability)) : 0;
  with_scalar("dropout_mask", mask.type, [&]<class T>(T) {
    const View<T> to = view<T>(mask);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) {
        to(r, c) = stream.uniform(r * to.columns + c) >= probability ? T(kept) : T(0);
      }
    }
  });
}

}  // namespace rondo
