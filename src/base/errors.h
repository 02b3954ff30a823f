// Throwing with a formatted message: throw_error<DataError>("{}:{}: {} columns, expected {}", path, line, n,
// m).
#pragma once

#include <fmt/format.h>

#include <utility>

#include "rondo/errors.h"

namespace rondo {

template <class Kind, class... Args>
[[noreturn]] void throw_error(fmt::format_string<Args...> format, Args&&... args) {
  throw Kind(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace rondo
