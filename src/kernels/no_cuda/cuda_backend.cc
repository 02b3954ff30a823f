#include "kernels/no_cuda/cuda_backend.h"

#include "base/errors.h"

namespace rondo {

std::unique_ptr<Backend> make_cuda_backend(int device) {
  throw_error<ConfigError>(
      "device cuda:{}: this build has no CUDA backend, and this version of Rondo has none to build; use "
      "--device cpu",
      device);
}

}  // namespace rondo
