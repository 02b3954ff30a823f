#include "tensor/device.h"

#include "base/errors.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/no_cuda/cuda_backend.h"
#include "kernels/reference/reference_backend.h"

namespace rondo {

std::unique_ptr<Backend> open_device(const std::string& device, int threads) {
  if (device == "cpu") return make_cpu_backend(threads);
  if (device == "reference") return make_reference_backend(threads);
  if (device == "cuda") return make_cuda_backend(0);
  if (device.starts_with("cuda:") && device.size() == 6 && device[5] >= '0' && device[5] <= '9') {
    return make_cuda_backend(device[5] - '0');
  }
  throw_error<ConfigError>("device {}: expected cpu, reference, cuda or cuda:0 to cuda:9", device);
}

}  // namespace rondo
