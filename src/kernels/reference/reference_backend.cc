#include "kernels/reference/reference_backend.h"

namespace rondo {

std::unique_ptr<Backend> make_reference_backend(int threads) {
  return std::make_unique<ReferenceBackend>(threads);
}

}  // namespace rondo
