// Opens a backend by the name that --device takes.
#pragma once

#include <memory>
#include <string>

#include "kernels/backend.h"

namespace rondo {

/// @param device   "cpu", "reference", "cuda" or "cuda:N".
/// @param threads  0: one for each processor that the process may use.
/// @throws ConfigError for another name, or a device that this build has not.
std::unique_ptr<Backend> open_device(const std::string& device = "cpu", int threads = 0);

}  // namespace rondo
