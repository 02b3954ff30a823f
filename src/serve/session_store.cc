#include "serve/session_store.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <vector>

#include "serve/refusal.h"

namespace rondo::serve {

namespace {

// Whoever knows the name has the session: it comes from the system's source, not from a seed.
std::string new_id() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw_error<IoError>("sessions: the system gives no random bytes");
  }
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

}  // namespace

SessionStore::SessionStore(size_t limit, Clock::duration idle)
    : limit_(limit), idle_(idle), watcher_([this] { watch(); }) {}

SessionStore::~SessionStore() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void SessionStore::require_room() const {
  if (size() >= limit_) {
    refuse_for_now(
        429, "{} sessions are open, no more may be; close some (DELETE), or wait until they expire", limit_);
  }
}

std::string SessionStore::add(std::unique_ptr<LiveSession> session) {
  auto slot = std::make_shared<SessionLease::Slot>();
  slot->session = std::move(session);
  slot->last_used = Clock::now();
  std::string id = new_id();
  {
    const std::lock_guard lock(mutex_);
    if (slots_.size() < limit_) {
      slots_.emplace(id, std::move(slot));
      return id;
    }
  }
  require_room();
  refuse_for_now(429, "{} sessions were open just now; try again", limit_);
}

SessionLease SessionStore::lease(const std::string& id) {
  std::shared_ptr<SessionLease::Slot> slot;
  {
    const std::lock_guard lock(mutex_);
    const auto found = slots_.find(id);
    if (found == slots_.end()) refuse(404, "there is no such session; it may have expired");
    slot = found->second;
    slot->last_used = Clock::now();
  }
  if (slot->in_use.exchange(true, std::memory_order_acquire)) {
    refuse_for_now(409, "another request uses this session; send one after another");
  }
  return SessionLease(std::move(slot));
}

void SessionStore::remove(const std::string& id) {
  std::shared_ptr<SessionLease::Slot> slot;  // goes when the lock is open again
  const std::lock_guard lock(mutex_);
  const auto found = slots_.find(id);
  if (found == slots_.end()) refuse(404, "there is no such session; it may have expired");
  slot = std::move(found->second);
  slots_.erase(found);
}

size_t SessionStore::size() const {
  const std::lock_guard lock(mutex_);
  return slots_.size();
}

size_t SessionStore::close_idle(Clock::time_point now) {
  std::vector<std::shared_ptr<SessionLease::Slot>> closed;  // freed when the lock is open again
  const std::lock_guard lock(mutex_);
  for (auto at = slots_.begin(); at != slots_.end();) {
    if (now - at->second->last_used < idle_) {
      ++at;
      continue;
    }
    closed.push_back(std::move(at->second));
    at = slots_.erase(at);
  }
  return closed.size();
}

void SessionStore::watch() {
  using namespace std::chrono_literals;
  const auto pause = std::clamp<Clock::duration>(idle_ / 4, 10ms, 5s);
  std::unique_lock lock(mutex_);
  while (!changed_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    close_idle(Clock::now());
    lock.lock();
  }
}

}  // namespace rondo::serve
