// Requests that wait for a thread; those that may run together do.
//   WorkQueue queue(options);
//   auto work = std::make_shared<PredictWork>(model, texts);
//   queue.run(work, deadline);        // returns when it is done
//   use(work->result);
// What a work gives must not depend on the company it runs in: then batching changes nothing but the speed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "serve/serve_options.h"

namespace rondo::serve {

using Clock = std::chrono::steady_clock;

class Work {
 public:
  /// @param key    works of equal keys may run together; empty: it runs alone.
  /// @param texts  how much it counts in a batch.
  explicit Work(std::string key, size_t texts = 1) : key_(std::move(key)), texts_(texts) {}
  virtual ~Work() = default;

  /// Does all of a batch; this is its first. All are of the key, and so of the type, of this one.
  virtual void run(std::span<const std::shared_ptr<Work>> batch) = 0;

  const std::string& key() const { return key_; }
  size_t texts() const { return texts_; }

 private:
  std::string key_;
  size_t texts_;
};

class WorkQueue {
 public:
  /// Told of each batch, on the thread that ran it: requests and texts in it.
  using Observer = std::function<void(size_t requests, size_t texts)>;

  explicit WorkQueue(const QueueOptions& options, Observer observer = {});
  /// Ends after what waits is done.
  ~WorkQueue();
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// Waits for a thread and for the end of the work. Any thread may call.
  /// @throws Refusal: 503 if too many wait, 504 at the deadline (what runs then is left to itself); or what
  /// the work threw. Where a batch throws, each of its works is run again alone: one pays for no other.
  void run(std::shared_ptr<Work> work, Clock::time_point deadline);

  /// Works that no thread has taken yet.
  size_t waiting() const;
  size_t threads() const { return threads_.size(); }

 private:
  enum class Stage { kWaiting, kRunning, kDone };
  struct Entry {
    std::shared_ptr<Work> work;
    Clock::time_point ripe;  ///< when it waits for company no longer
    Stage stage = Stage::kWaiting;
    std::exception_ptr error;
    std::condition_variable done;
  };
  using Batch = std::vector<std::shared_ptr<Entry>>;

  void serve();
  bool is_ripe(const Entry& entry, Clock::time_point now) const;
  Batch take_batch();
  void run_batch(const Batch& batch) const;
  static std::exception_ptr attempt(const Batch& batch);

  QueueOptions options_;
  Clock::duration wait_;
  Observer observer_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Entry>> entries_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace rondo::serve
