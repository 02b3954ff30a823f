// Works wait, run together where they may, and pay for nobody else.
#include "serve/work_queue.h"

#include <gmock/gmock.h>

#include <future>

#include "serve/refusal.h"

namespace rondo::serve {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

Clock::time_point soon() { return Clock::now() + 20s; }

/// Remembers how many ran with it; may be told to fail or to wait.
class Probe : public Work {
 public:
  explicit Probe(std::string key, size_t texts = 1) : Work(std::move(key), texts) {}
  void run(std::span<const std::shared_ptr<Work>> batch) override {
    if (!std::exchange(has_started, true)) started.set_value();
    if (gate) gate->wait();
    for (const std::shared_ptr<Work>& work : batch) {
      auto& probe = static_cast<Probe&>(*work);
      if (probe.fails) throw DataError("this one");
      probe.company = batch.size();
    }
  }
  size_t company = 0;
  bool fails = false, has_started = false;
  std::promise<void> started;
  std::shared_future<void>* gate = nullptr;
};

/// Holds the queue's only thread until it is opened.
class Gate {
 public:
  explicit Gate(WorkQueue& queue) : open_(promise_.get_future().share()) {
    auto probe = std::make_shared<Probe>("");
    probe->gate = &open_;
    thread_ = std::thread([&queue, probe] { queue.run(probe, soon()); });
    probe->started.get_future().wait();
  }
  ~Gate() {
    promise_.set_value();
    thread_.join();
  }

 private:
  std::promise<void> promise_;
  std::shared_future<void> open_;
  std::thread thread_;
};

void wait_until(const std::function<bool()>& condition) {
  for (int i = 0; i < 2000 && !condition(); ++i) std::this_thread::sleep_for(5ms);
  ASSERT_TRUE(condition());
}

std::vector<size_t> companies(WorkQueue& queue, const std::vector<std::shared_ptr<Probe>>& probes) {
  std::vector<std::thread> threads;
  {
    const Gate gate(queue);
    for (const auto& probe : probes) threads.emplace_back([&queue, probe] { queue.run(probe, soon()); });
    wait_until([&] { return queue.waiting() == probes.size(); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<size_t> result;
  for (const auto& probe : probes) result.push_back(probe->company);
  return result;
}

std::vector<std::shared_ptr<Probe>> probes(const std::vector<std::string>& keys, size_t texts = 1) {
  std::vector<std::shared_ptr<Probe>> made;
  for (const std::string& key : keys) made.push_back(std::make_shared<Probe>(key, texts));
  return made;
}

TEST(WorkQueue, ThoseThatWaitRunTogetherByTheirKeys) {
  WorkQueue queue({.threads = 1, .batch = 32});
  EXPECT_EQ(companies(queue, probes({"a", "b", "a", "", "a", ""})), (std::vector<size_t>{3, 1, 3, 1, 3, 1}));
}

TEST(WorkQueue, ABatchHoldsNoMoreTextsThanItMay) {
  WorkQueue queue({.threads = 1, .batch = 4});
  EXPECT_THAT(companies(queue, probes({"a", "a", "a", "a", "a"}, 2)), UnorderedElementsAre(2, 2, 2, 2, 1));
  EXPECT_THAT(companies(queue, probes({"a", "a"}, 100)), ElementsAre(1, 1)) << "a large one runs alone";
}

TEST(WorkQueue, WaitsForCompanyAsLongAsSaid) {
  WorkQueue queue({.threads = 2, .batch = 3, .batch_wait_ms = 100});
  const auto begin = Clock::now();
  const auto alone = std::make_shared<Probe>("a");
  queue.run(alone, soon());
  EXPECT_GE(Clock::now() - begin, 99ms);
  EXPECT_EQ(alone->company, 1U);
}

TEST(WorkQueue, AFullBatchWaitsNoLonger) {
  WorkQueue queue({.threads = 2, .batch = 3, .batch_wait_ms = 10000});
  const auto begin = Clock::now();
  const auto three = probes({"b", "b", "b"});
  std::vector<std::thread> threads;
  for (const auto& probe : three) threads.emplace_back([&queue, probe] { queue.run(probe, soon()); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_LT(Clock::now() - begin, 9s);
  for (const auto& probe : three) EXPECT_EQ(probe->company, 3U);
}

TEST(WorkQueue, WhoWaitsForCompanyIsNotForgottenWhileOthersWork) {
  WorkQueue queue({.threads = 3, .batch = 8, .batch_wait_ms = 20});
  for (int round = 0; round < 10; ++round) {
    const auto probe = std::make_shared<Probe>("a");
    std::thread thread([&] { queue.run(probe, soon()); });
    const Gate gate(queue);  // may take the thread that watches over it
    thread.join();
    EXPECT_EQ(probe->company, 1U);
  }
}

TEST(WorkQueue, OneThatFailsFailsAlone) {
  WorkQueue queue({.threads = 1, .batch = 32});
  const auto all = probes({"a", "a", "a"});
  all[1]->fails = true;
  std::vector<std::future<void>> ends;
  {
    const Gate gate(queue);
    for (const auto& probe : all) {
      ends.push_back(std::async(std::launch::async, [&queue, probe] { queue.run(probe, soon()); }));
    }
    wait_until([&] { return queue.waiting() == all.size(); });
  }
  EXPECT_NO_THROW(ends[0].get());
  EXPECT_THROW(ends[1].get(), DataError);
  EXPECT_NO_THROW(ends[2].get());
  EXPECT_EQ(all[2]->company, 1U);
}

TEST(WorkQueue, RefusesWhatWouldWaitBehindTooMany) {
  WorkQueue queue({.threads = 1, .queue = 1});
  std::future<void> waiting;
  const Gate gate(queue);
  waiting = std::async(std::launch::async, [&] { queue.run(std::make_shared<Probe>("a"), soon()); });
  wait_until([&] { return queue.waiting() == 1; });
  try {
    queue.run(std::make_shared<Probe>("a"), soon());
    ADD_FAILURE() << "it was taken";
  } catch (const Refusal& refusal) {
    EXPECT_EQ(refusal.status(), 503);
    EXPECT_GT(refusal.retry_after_s(), 0);
  }
}

TEST(WorkQueue, GivesUpAtTheDeadlineAndTheQueueGoesOn) {
  WorkQueue queue({.threads = 1});
  {
    const Gate gate(queue);
    try {
      queue.run(std::make_shared<Probe>("a"), Clock::now() + 30ms);
      ADD_FAILURE() << "it ran";
    } catch (const Refusal& refusal) {
      EXPECT_EQ(refusal.status(), 504);
    }
    EXPECT_EQ(queue.waiting(), 0U) << "nobody waits for it any more";
  }
  const auto next = std::make_shared<Probe>("a");
  queue.run(next, soon());
  EXPECT_EQ(next->company, 1U);
}

TEST(WorkQueue, TellsOfEachBatch) {
  std::mutex mutex;
  std::vector<std::pair<size_t, size_t>> told;
  {
    WorkQueue queue({.threads = 2, .batch = 8}, [&](size_t requests, size_t texts) {
      const std::lock_guard lock(mutex);
      told.emplace_back(requests, texts);
    });
    queue.run(std::make_shared<Probe>("a", 3), soon());
    queue.run(std::make_shared<Probe>("", 1), soon());
  }
  EXPECT_EQ(told, (std::vector<std::pair<size_t, size_t>>{{1, 3}, {1, 1}}));
}

}  // namespace
}  // namespace rondo::serve
