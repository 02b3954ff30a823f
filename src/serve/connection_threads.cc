#include "serve/connection_threads.h"

#include <system_error>

namespace rondo::serve {

ConnectionThreads::~ConnectionThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ConnectionThreads::take(Descriptor& socket) {
  const std::lock_guard lock(mutex_);
  if (open_ >= limit_) return false;
  if (open_ == threads_.size()) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      return false;
    }
  }
  waiting_.push_back(std::move(socket));
  ++open_;
  changed_.notify_one();
  return true;
}

size_t ConnectionThreads::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

void ConnectionThreads::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Descriptor socket = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    serve_(socket);
    socket = Descriptor();
    lock.lock();
    --open_;
  }
}

}  // namespace rondo::serve
