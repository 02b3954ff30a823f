// The readable twin of every kernel, and the oracle that other backends are tested against.
// Templated on the scalar inside: float, double, and complex<double>, which makes complex-step gradients
// exact to about 1e-15.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace rondo {

/// @param threads  only for threads(); the reference kernels run on the caller.
std::unique_ptr<Backend> make_reference_backend(int threads = 1);

}  // namespace rondo
