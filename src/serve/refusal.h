// A request that is not answered as asked: the HTTP status and why.
//   refuse(422, "texts[{}]: {} bytes, at most {}", i, size, limit);
#pragma once

#include <utility>

#include "base/errors.h"

namespace rondo::serve {

/// Of the client, or of a limit that was reached; what() is meant for whoever sent the request.
class Refusal : public Error {
 public:
  Refusal(int status, const std::string& message, int retry_after_s = 0)
      : Error(message), status_(status), retry_after_s_(retry_after_s) {}
  int status() const { return status_; }
  /// Seconds after which it may go better; 0: it will not.
  int retry_after_s() const { return retry_after_s_; }

 private:
  int status_, retry_after_s_;
};

template <class... Args>
[[noreturn]] void refuse(int status, fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal(status, fmt::format(format, std::forward<Args>(args)...));
}

/// The same where it may go better in a second.
template <class... Args>
[[noreturn]] void refuse_for_now(int status, fmt::format_string<Args...> format, Args&&... args) {
  throw Refusal(status, fmt::format(format, std::forward<Args>(args)...), 1);
}

}  // namespace rondo::serve
