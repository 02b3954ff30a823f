#include "kernels/reference/checks.h"
#include "kernels/reference/reference_backend.h"
#include "kernels/reference/view.h"

namespace rondo {
namespace {

template <class T>
T activated(Activation kind, T x) {
  if (kind == Activation::kTanh) return std::tanh(x);
  return kind == Activation::kRelu ? reference::relu(x) : reference::sigmoid(x);
}

/// y'(x), written with y: tanh 1 - y^2, sigmoid y(1 - y), relu 1 where y > 0.
template <class T>
T slope(Activation kind, T y) {
  if (kind == Activation::kTanh) return T(1) - y * y;
  if (kind == Activation::kRelu) return reference::real_part(y) > 0 ? T(1) : T(0);
  return y * (T(1) - y);
}

}  // namespace

using reference::Checks;
using reference::view;
using reference::View;
using reference::with_scalar;

void ReferenceBackend::activate(Activation kind, ConstMatrix x, Matrix y) {
  Checks("activate", x.type).shape("y", y, x.rows, x.columns);
  with_scalar("activate", x.type, [&]<class T>(T) {
    const View<const T> from = view<T>(x);
    const View<T> to = view<T>(y);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) to(r, c) = activated(kind, from(r, c));
    }
  });
}

void ReferenceBackend::activate_backward(Activation kind, ConstMatrix y, ConstMatrix d_y, Matrix d_x) {
  const Checks checks("activate_backward", y.type);
  checks.shape("d_y", d_y, y.rows, y.columns);
  checks.shape("d_x", d_x, y.rows, y.columns);
  with_scalar("activate_backward", y.type, [&]<class T>(T) {
    const View<const T> result = view<T>(y), arrived = view<T>(d_y);
    const View<T> to = view<T>(d_x);
    for (int64_t r = 0; r < to.rows; ++r) {
      for (int64_t c = 0; c < to.columns; ++c) to(r, c) += arrived(r, c) * slope(kind, result(r, c));
    }
  });
}

}  // namespace rondo
