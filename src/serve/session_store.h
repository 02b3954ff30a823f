// The sessions that are open, by the names that their owners got; those that nobody asks for are closed.
//   SessionStore store(1000, std::chrono::minutes(10));
//   std::string id = store.add(open_session(model));
//   SessionLease lease = store.lease(id);  lease->feed("Shares rose ");
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "serve/live_session.h"
#include "serve/work_queue.h"

namespace rondo::serve {

/// A session and the right to use it; nobody else has it meanwhile. It may end on another thread.
class SessionLease {
 public:
  struct Slot {
    std::unique_ptr<LiveSession> session;
    std::atomic<bool> in_use = false;
    Clock::time_point last_used;  ///< under the store's mutex
  };
  /// @param slot  whose in_use the caller has set.
  explicit SessionLease(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
  SessionLease(SessionLease&&) noexcept = default;
  SessionLease& operator=(SessionLease&&) = delete;
  ~SessionLease() {
    if (slot_) slot_->in_use.store(false, std::memory_order_release);
  }
  LiveSession& operator*() const { return *slot_->session; }
  LiveSession* operator->() const { return slot_->session.get(); }

 private:
  std::shared_ptr<Slot> slot_;
};

class SessionStore {
 public:
  /// @param idle  after which a session is closed.
  SessionStore(size_t limit, Clock::duration idle);
  ~SessionStore();
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  /// @throws Refusal (429) if no more may be opened: to be asked before the work of making one.
  void require_room() const;
  /// @return  its name: 32 hexadecimal digits that nobody guesses. @throws Refusal (429).
  std::string add(std::unique_ptr<LiveSession> session);
  /// @throws Refusal: 404 if there is none of this name, or no more; 409 if another request uses it.
  SessionLease lease(const std::string& id);
  /// @throws Refusal (404). A request that uses it goes on to its end.
  void remove(const std::string& id);

  size_t size() const;
  /// Closes those that nobody asked for since `now` - idle. @return how many.
  size_t close_idle(Clock::time_point now);

 private:
  void watch();

  size_t limit_;
  Clock::duration idle_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<SessionLease::Slot>> slots_;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::thread watcher_;
};

}  // namespace rondo::serve
