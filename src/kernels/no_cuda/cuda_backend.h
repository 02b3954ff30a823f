// The stub that stands where the CUDA backend will: it says how to get one.
#pragma once

#include <memory>

#include "kernels/backend.h"

namespace rondo {

/// @throws ConfigError always: this build has no CUDA.
std::unique_ptr<Backend> make_cuda_backend(int device);

}  // namespace rondo
