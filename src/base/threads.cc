#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/errors.h"
#include "base/processor.h"

namespace rondo {
namespace {

// How long a thread looks for work before it sleeps: about what it takes to wake one, so that at worst twice
// the best is paid. Measured: docs/adr/0003-threads.md.
constexpr std::chrono::microseconds kSpin{20};
constexpr int kMaxThreads = 1024;

thread_local bool inside_task = false;

// Looks again and again for at most kSpin, then gives up. After the first microsecond the processor is
// offered to others each time: on a busy machine the very thread that is waited for may need this processor.
template <class Condition>
bool spin_until(const Condition& condition) {
  for (int i = 0; i < 32; ++i) {
    if (condition()) return true;
    pause_processor();
  }
  const auto end = std::chrono::steady_clock::now() + kSpin;
  do {
    std::this_thread::yield();
    for (int i = 0; i < 4; ++i) {
      if (condition()) return true;
      pause_processor();
    }
  } while (std::chrono::steady_clock::now() < end);
  return false;
}

int usable_processors() {
#if defined(__linux__)
  cpu_set_t processors;  // fails above 1,024 processors; then the plain count is as good
  if (sched_getaffinity(0, sizeof processors, &processors) == 0) return std::max(1, CPU_COUNT(&processors));
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

// Signals go to the program's own threads: its handlers expect to interrupt them, not a worker.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &saved_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t saved_;
};

// The first exception of a job.
class FirstError {
 public:
  void keep(std::exception_ptr error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  std::exception_ptr take() { return std::exchange(error_, nullptr); }

 private:
  std::mutex mutex_;
  std::exception_ptr error_;
};

void run_here(int64_t count, const std::function<void(int64_t)>& task) {
  FirstError error;
  for (int64_t i = 0; i < count; ++i) {
    try {
      task(i);
    } catch (...) {
      error.keep(std::current_exception());
    }
  }
  if (const std::exception_ptr first = error.take()) std::rethrow_exception(first);
}

class InsideTask {
 public:
  InsideTask() { inside_task = true; }
  ~InsideTask() { inside_task = false; }
  InsideTask(const InsideTask&) = delete;
  InsideTask& operator=(const InsideTask&) = delete;
};

}  // namespace

// One job at a time. A task is claimed by lowering `remaining`; only then are `task` and `count` read, so
// that a thread that comes late, even from an earlier job, either finds nothing or helps with the job that is
// there. Nobody waits for a thread that has claimed nothing: a worker whose processor is taken holds up no
// one.
struct ThreadPool::State {
  explicit State(int workers);
  ~State();

  void work();
  void loop();
  bool look_for_work() const;
  void sleep();
  void wake(int64_t wanted);
  void wait_until_finished();
  int64_t claim();

  const std::function<void(int64_t)>* task = nullptr;
  int64_t count = 0;
  FirstError error;
  std::atomic<bool> busy{false};
  alignas(64) std::atomic<int64_t> remaining{0};   // tasks that nobody has claimed
  alignas(64) std::atomic<int64_t> unfinished{0};  // tasks that have not ended
  // Sleeping: whoever goes to sleep announces it and looks once more, whoever brings work publishes it and
  // then looks for sleepers. All four are sequentially consistent, so one of the two sees the other.
  alignas(64) std::atomic<int64_t> sleeping{0};  // workers asleep that nobody has called yet
  std::atomic<bool> caller_sleeps{false};
  std::atomic<bool> stop{false};
  std::mutex mutex;
  int64_t calls = 0;  // wake-ups not yet taken, under mutex
  std::condition_variable called;
  std::condition_variable finished;
  std::vector<std::thread> workers;
};

ThreadPool::State::State(int number) {
  const SignalsBlocked blocked;
  workers.reserve(static_cast<size_t>(number));
  try {
    for (int i = 0; i < number; ++i) workers.emplace_back([this] { loop(); });
  } catch (const std::system_error&) {
    // A limit on processes: the threads that there are do the same work.
  }
}

ThreadPool::State::~State() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  called.notify_all();
  for (std::thread& worker : workers) worker.join();
}

int64_t ThreadPool::State::claim() {
  int64_t left = remaining.load(std::memory_order_acquire);
  while (left > 0) {
    if (remaining.compare_exchange_weak(left, left - 1, std::memory_order_acq_rel)) return count - left;
  }
  return -1;
}

void ThreadPool::State::work() {
  const InsideTask inside;
  for (int64_t index = claim(); index >= 0; index = claim()) {
    try {
      (*task)(index);
    } catch (...) {
      error.keep(std::current_exception());
    }
    if (unfinished.fetch_sub(1) == 1 && caller_sleeps.load()) {
      { const std::lock_guard lock(mutex); }  // the caller is waiting by now, not about to
      finished.notify_one();
    }
  }
}

void ThreadPool::State::loop() {
  const DenormalsAreZero guard;
  while (!stop.load(std::memory_order_relaxed)) {
    if (look_for_work()) {
      work();
    } else {
      sleep();
    }
  }
}

bool ThreadPool::State::look_for_work() const {
  return spin_until([this] { return remaining.load(std::memory_order_relaxed) > 0; });
}

void ThreadPool::State::sleep() {
  std::unique_lock lock(mutex);
  ++sleeping;
  called.wait(lock, [this] { return calls > 0 || remaining.load() > 0 || stop; });
  if (calls > 0) {
    --calls;  // wake() has counted this sleeper off
  } else {
    --sleeping;
  }
}

// Calls so many sleepers that with those awake already there are `wanted` to help.
void ThreadPool::State::wake(int64_t wanted) {
  const auto number = static_cast<int64_t>(workers.size());
  if (std::min(wanted, number) <= number - sleeping.load()) return;
  int64_t called_now = 0;
  {
    const std::lock_guard lock(mutex);
    const int64_t asleep = sleeping.load();
    called_now = std::max<int64_t>(0, std::min(wanted, number) - (number - asleep));
    sleeping -= called_now;
    calls += called_now;
  }
  for (int64_t i = 0; i < called_now; ++i) called.notify_one();
}

void ThreadPool::State::wait_until_finished() {
  if (spin_until([this] { return unfinished.load(std::memory_order_acquire) == 0; })) return;
  std::unique_lock lock(mutex);
  caller_sleeps = true;
  finished.wait(lock, [this] { return unfinished.load() == 0; });
  caller_sleeps = false;
}

ThreadPool::ThreadPool(int threads) {
  if (threads < 0 || threads > kMaxThreads) {
    throw_error<ConfigError>("--threads: expected 0 to {}, got {}", kMaxThreads, threads);
  }
  state_ = std::make_unique<State>((threads == 0 ? usable_processors() : threads) - 1);
}

ThreadPool::~ThreadPool() = default;

int ThreadPool::threads() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::run(int64_t count, const std::function<void(int64_t)>& task) {
  if (count <= 0) return;
  if (inside_task) return run_here(count, task);
  const DenormalsAreZero guard;
  State& state = *state_;
  if (count == 1 || state.workers.empty() || state.busy.exchange(true, std::memory_order_acquire)) {
    return run_here(count, task);
  }
  state.task = &task;
  state.count = count;
  state.unfinished.store(count, std::memory_order_relaxed);
  state.remaining.store(count);
  state.wake(count - 1);
  state.work();
  state.wait_until_finished();
  const std::exception_ptr error = state.error.take();
  state.busy.store(false, std::memory_order_release);
  if (error) std::rethrow_exception(error);
}

void ThreadPool::split(int64_t size, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  if (size <= 0) return;
  const int64_t most = std::max<int64_t>(1, size / std::max<int64_t>(1, grain));
  const int64_t parts = std::min<int64_t>(threads(), most);
  const int64_t length = size / parts;
  const int64_t longer = size % parts;  // the first so many ranges have one more
  run(parts, [&](int64_t part) {
    const int64_t begin = part * length + std::min(part, longer);
    body(begin, begin + length + (part < longer ? 1 : 0));
  });
}

}  // namespace rondo
