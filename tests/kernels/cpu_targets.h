// Runs a test's body once for every instruction set that the machine has.
//   for_each_target([&](Backend& backend) { ... });
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>

#include "kernels/cases.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/targets.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {

template <class Body>
void for_each_target(int threads, Body&& body) {
  for (const std::string& target : cpu_targets()) {
    SCOPED_TRACE(target);
    const std::unique_ptr<Backend> backend = make_cpu_backend(threads);
    force_cpu_target(target);
    body(*backend);
    force_cpu_target("");
  }
}

/// Multiply-adds of this instruction set round once, as std::fma does.
inline bool has_fma(const std::string& target) {
  return target != "SSE4" && target != "SCALAR" && target != "EMU128";
}

/// Largest difference, relative to the largest value where that is above 1: sums of many terms lose digits in
/// proportion to their size. 1 if a value is not a number.
inline double difference(const Array<float>& a, const Array<float>& b) {
  if (a.values.size() != b.values.size()) return 1;
  double worst = 0, largest = 1;
  for (size_t i = 0; i < a.values.size(); ++i) {
    const double error = std::abs(static_cast<double>(a.values[i]) - b.values[i]);
    if (!(error <= 1e30)) return 1;
    worst = std::max(worst, error);
    largest = std::max(largest, std::abs(static_cast<double>(b.values[i])));
  }
  return worst / largest;
}

inline bool same_bits(const Array<float>& a, const Array<float>& b) {
  return a.values.size() == b.values.size() &&
         (a.values.empty() || std::memcmp(a.values.data(), b.values.data(), a.values.size() * 4) == 0);
}

}  // namespace rondo
