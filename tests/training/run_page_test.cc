// The page of a run: what stands in it while the loop runs, and that the loop does the same without it.
#include "training/run_page.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <limits>

#include "base/errors.h"
#include "kernels/reference/reference_backend.h"
#include "storage/test_files.h"
#include "training/small_task.h"

namespace rondo {
namespace {

/// The figures that a page holds.
nlohmann::json figures(const std::string& path) {
  const std::string page = get_bytes(path), mark = "id=\"figures\">";
  const size_t begin = page.find(mark) + mark.size();
  return nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
}

LoopOptions plain(const std::string& after) {
  return {
      .after = after, .patience = 0, .optimizer = {.optimizer = OptimizerRule::kSgd, .lr = 0.01, .clip = 0}};
}

class Watcher final : public TrainingObserver {
 public:
  void progressed(const TrainingProgress& p) override {
    last = p;
    if (during) during(p.update);
  }
  bool stop_wanted() override { return last.update == stop_at; }
  void report_failed(const std::string& why) override { failures.push_back(why); }

  TrainingProgress last;
  int64_t stop_at = -1;
  std::function<void(int64_t)> during;
  std::vector<std::string> failures;
};

struct PageRun {
  TestFolder folder;
  TrainingFiles files{.output = folder.file("a.rondo"),
                      .report = folder.file("run.html"),
                      .resume = true,
                      .command = "rondo train </script>"};
  Watcher watcher;

  LoopOutcome run(const LoopOptions& options) {
    SmallTask task;
    const auto backend = make_reference_backend();
    return TrainingLoop({*backend, task, options, files, watcher}).run({.metric = "accuracy"});
  }
};

TEST(RunPage, HoldsTheRunWhenItIsDone) {
  PageRun page;
  page.run(plain("3e"));
  const nlohmann::json shown = figures(page.files.report);
  EXPECT_EQ(shown.at("state"), "done");
  EXPECT_EQ(shown.at("command"), "rondo train </script>");
  EXPECT_EQ(shown.at("plan").at("updates"), 18);
  EXPECT_EQ(shown.at("curve").at("update").size(), 18U);
  EXPECT_FLOAT_EQ(shown.at("curve").at("loss").at(17).get<float>(),
                  static_cast<float>(page.watcher.last.loss));
  EXPECT_EQ(shown.at("evaluations").size(), 3U);
  EXPECT_TRUE(shown.at("gates").empty()) << "a task without gates has none";
}

TEST(RunPage, GoesOnWithAResumedRun) {
  PageRun page;
  page.watcher.stop_at = 8;
  EXPECT_TRUE(page.run(plain("3e")).stopped);
  EXPECT_EQ(figures(page.files.report).at("state"), "stopped");
  EXPECT_EQ(figures(page.files.report).at("update"), 8);
  page.watcher.stop_at = -1;
  EXPECT_FALSE(page.run(plain("3e")).stopped);
  const nlohmann::json shown = figures(page.files.report);
  EXPECT_EQ(shown.at("curve").at("update").size(), 18U);
  EXPECT_EQ(shown.at("evaluations").size(), 3U);
  EXPECT_EQ(shown.at("plan").at("resumed_at"), 8);
}

TEST(RunPage, ARunThatFailsSaysWhy) {
  PageRun page;
  SmallTask task;
  task.dev = [](const SmallTask&) { return std::numeric_limits<double>::infinity(); };
  const auto backend = make_reference_backend();
  const LoopOptions options = plain("1e");
  TrainingLoop loop({*backend, task, options, page.files, page.watcher});
  EXPECT_THROW(loop.run(TrainingPlan()), Error);
  EXPECT_EQ(figures(page.files.report).at("state"), "failed");
  EXPECT_NE(figures(page.files.report).at("why").get<std::string>().find("no evaluation gave a finite loss"),
            std::string::npos);
}

TEST(RunPage, APageThatCannotBeBegunIsToldAtOnce) {
  PageRun page;
  page.files.report = page.folder.file("nowhere/run.html");
  EXPECT_THROW(page.run(plain("1e")), IoError);
}

TEST(RunPage, APageThatCanNoLongerBeWrittenCostsNoRun) {
  PageRun page;
  const std::string folder = page.folder.file("pages");
  std::filesystem::create_directory(folder);
  page.files.report = folder + "/run.html";
  page.watcher.during = [&](int64_t update) {
    if (update == 2) std::filesystem::remove_all(folder);
  };
  EXPECT_FALSE(page.run(plain("3e")).stopped);
  EXPECT_EQ(page.watcher.failures.size(), 1U);
  EXPECT_FALSE(get_bytes(page.files.output).empty());
}

TEST(RunPage, TheTrainedBytesAreThoseWithoutIt) {
  PageRun with, without;
  without.files.report = "";
  with.run(plain("3e"));
  without.run(plain("3e"));
  EXPECT_EQ(get_bytes(with.files.output), get_bytes(without.files.output));
}

TEST(RunPage, ShowsSomeOfManyEvaluationsTheLastAmongThem) {
  const TestFolder folder;
  RunPage page(folder.file("run.html"), "");
  nlohmann::json history = nlohmann::json::array();
  for (int64_t i = 1; i <= 9001; ++i) history.push_back({{"update", i}, {"best", i == 17}});
  page.planned({}, "a.rondo");
  page.restore(nullptr, history);
  page.write();
  const nlohmann::json shown = figures(folder.file("run.html"));
  EXPECT_LE(shown.at("evaluations").size(), 2000U);
  EXPECT_EQ(shown.at("evaluations").back().at("update"), 9001);
  EXPECT_EQ(shown.at("best").at("update"), 17);
}

}  // namespace
}  // namespace rondo
