// The instruction sets that the vector code is compiled for. Include this before any Highway header.
#pragma once

// These bring nothing for float32 arithmetic over the sets that stay (AVX3, AVX2, SSE4, NEON and the
// baseline) and would double the compile time; the scalable ones do not fit the fixed-size tiles.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#include <string>
#include <vector>

namespace rondo {

/// Names of the compiled instruction sets that this processor has, the best first: "AVX3", "AVX2", "SSE4".
std::vector<std::string> cpu_targets();

/// The name of the one in use.
std::string cpu_target();

/// Makes the kernels use this one, or the best again for "". For tests and measurements: no kernel may be
/// running. The environment variable RONDO_TARGET does the same when the first backend is made.
/// @throws ConfigError if the processor or the build has no such target.
void force_cpu_target(const std::string& name);

}  // namespace rondo
