// Fast kernels for float32 by SIMD (Highway), chosen at run time for the processor that it runs on.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace rondo {

/// @param threads  0: one for each processor that the process may use. Changes speed, never results.
std::unique_ptr<Backend> make_cpu_backend(int threads = 0);

}  // namespace rondo
