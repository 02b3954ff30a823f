// A thread for each open connection, up to a limit; threads that have none are kept for the next.
//   ConnectionThreads threads(256, [](Descriptor socket) { ... });
//   if (!threads.take(socket)) ...   // too many: the socket is still the caller's
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "serve/sockets.h"

namespace rondo::serve {

class ConnectionThreads {
 public:
  using Serve = std::function<void(const Descriptor&)>;

  ConnectionThreads(size_t limit, Serve serve) : limit_(limit), serve_(std::move(serve)) {}
  /// Waits for the connections that are open.
  ~ConnectionThreads();
  ConnectionThreads(const ConnectionThreads&) = delete;
  ConnectionThreads& operator=(const ConnectionThreads&) = delete;

  /// @return  false, and `socket` as it was, if there are too many or the system gives no thread.
  bool take(Descriptor& socket);
  size_t open() const;
  bool is_full() const { return open() >= limit_; }

 private:
  void work();

  size_t limit_;
  Serve serve_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Descriptor> waiting_;
  size_t open_ = 0;  ///< waiting or served
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rondo::serve
