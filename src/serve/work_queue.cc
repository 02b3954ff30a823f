#include "serve/work_queue.h"

#include <algorithm>

#include "base/threads.h"
#include "serve/refusal.h"

namespace rondo::serve {

WorkQueue::WorkQueue(const QueueOptions& options, Observer observer)
    : options_(options),
      wait_(std::chrono::duration_cast<Clock::duration>(
          std::chrono::duration<double, std::milli>(options.batch_wait_ms))),
      observer_(std::move(observer)) {
  // Of the processors, the pool knows those that this process may use.
  const int threads = options.threads > 0 ? options.threads : ThreadPool().threads();
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

WorkQueue::~WorkQueue() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkQueue::run(std::shared_ptr<Work> work, Clock::time_point deadline) {
  auto entry = std::make_shared<Entry>();
  entry->work = std::move(work);
  std::unique_lock lock(mutex_);
  if (entries_.size() >= static_cast<size_t>(options_.queue)) {
    refuse_for_now(503, "{} requests wait already; try again later", entries_.size());
  }
  entry->ripe = entry->work->key().empty() ? Clock::time_point::min() : Clock::now() + wait_;
  entries_.push_back(entry);
  changed_.notify_one();
  if (!entry->done.wait_until(lock, deadline, [&] { return entry->stage == Stage::kDone; })) {
    std::erase(entries_, entry);
    refuse(504, "the request took longer than it may; ask for less at once, or later");
  }
  if (entry->error) std::rethrow_exception(entry->error);
}

size_t WorkQueue::waiting() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

// The time is up, or the batch is full.
bool WorkQueue::is_ripe(const Entry& entry, Clock::time_point now) const {
  if (entry.ripe <= now || stopping_) return true;
  size_t texts = 0;
  for (const std::shared_ptr<Entry>& other : entries_) {
    if (other->work->key() == entry.work->key()) texts += other->work->texts();
  }
  return texts >= static_cast<size_t>(options_.batch);
}

WorkQueue::Batch WorkQueue::take_batch() {
  const Clock::time_point now = Clock::now();
  const auto first = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const std::shared_ptr<Entry>& entry) { return is_ripe(*entry, now); });
  if (first == entries_.end()) return {};
  Batch batch = {*first};
  size_t texts = (*first)->work->texts();
  for (const std::shared_ptr<Entry>& entry : entries_) {
    if (entry == batch.front() || entry->work->key().empty()) continue;
    if (entry->work->key() != batch.front()->work->key()) continue;
    if (texts + entry->work->texts() > static_cast<size_t>(options_.batch)) continue;
    texts += entry->work->texts();
    batch.push_back(entry);
  }
  for (const std::shared_ptr<Entry>& entry : batch) {
    entry->stage = Stage::kRunning;
    std::erase(entries_, entry);
  }
  return batch;
}

std::exception_ptr WorkQueue::attempt(const Batch& batch) {
  try {
    std::vector<std::shared_ptr<Work>> works;
    for (const std::shared_ptr<Entry>& entry : batch) works.push_back(entry->work);
    works.front()->run(works);
  } catch (...) {
    return std::current_exception();
  }
  return nullptr;
}

void WorkQueue::run_batch(const Batch& batch) const {
  const std::exception_ptr error = attempt(batch);
  if (!error) return;
  if (batch.size() == 1) {
    batch.front()->error = error;
    return;
  }
  for (const std::shared_ptr<Entry>& entry : batch) entry->error = attempt({entry});
}

void WorkQueue::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const Batch batch = take_batch();
    if (batch.empty()) {
      if (stopping_) return;
      auto ripe = Clock::time_point::max();
      for (const std::shared_ptr<Entry>& entry : entries_) ripe = std::min(ripe, entry->ripe);
      // A wait without an end is another function: the clock's last moment overflows on the way to the
      // system.
      if (entries_.empty()) {
        changed_.wait(lock);
      } else {
        changed_.wait_until(lock, ripe);
      }
      continue;
    }
    // Another thread may have to watch over what is left while this one works.
    if (!entries_.empty()) changed_.notify_one();
    lock.unlock();
    run_batch(batch);
    if (observer_) {
      size_t texts = 0;
      for (const std::shared_ptr<Entry>& entry : batch) texts += entry->work->texts();
      observer_(batch.size(), texts);
    }
    lock.lock();
    for (const std::shared_ptr<Entry>& entry : batch) {
      entry->stage = Stage::kDone;
      entry->done.notify_one();
    }
  }
}

}  // namespace rondo::serve
