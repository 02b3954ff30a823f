// A pool that runs a numbered list of tasks, and waits without burning the processor.
//   ThreadPool pool(2);  pool.run(8, [&](int64_t task) { ... });
// Which thread takes which task is free: no result may depend on it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace rondo {

class ThreadPool {
 public:
  /// @param threads  threads in all, the caller's included; 0 takes one for each processor that the
  ///                 process may use (sched_getaffinity). Where the system gives fewer, the pool has fewer.
  /// @throws ConfigError if negative or above 1024.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const;

  /// Runs task(0) .. task(count-1), each once, on the pool and on the caller; returns when all are done.
  /// The first exception that a task throws is thrown again here after the others ended.
  /// A call from inside a task runs its tasks one after another on the same thread, and so does a call that
  /// finds the pool at work for another thread. A single task is a plain call: nobody is woken, and what it
  /// runs itself may use the pool.
  /// Workers treat denormals as zero, as the caller does while it is in here: results on a slow path
  /// of the processor would cost up to 20 times as much.
  void run(int64_t count, const std::function<void(int64_t)>& task);

  /// Splits 0 .. size-1 into at most threads() ranges of at least `grain` and runs body(begin, end) on each.
  void split(int64_t size, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rondo
