#include "progress.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <csignal>

#include "console.h"

namespace rondo::app {

namespace {

std::atomic<bool> interrupted{false};

// What a terminal that closes, Ctrl-C and the system's shutdown send.
constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM};

void interrupt(int signal) {
  interrupted = true;
  // A second Ctrl-C ends at once.
  std::signal(signal, SIG_DFL);
}

constexpr auto kRedraw = std::chrono::milliseconds(200);
constexpr auto kPlainLine = std::chrono::seconds(30);  // where standard error is a file: now and then a line

// A loss that explodes takes no forty columns.
std::string loss_text(double loss) {
  return std::abs(loss) < 1e6 ? fmt::format("{:.4f}", loss) : fmt::format("{:.3e}", loss);
}

void say_classifier(const TrainingPlan& plan) {
  say("data      {} texts to learn from ({}), {} to measure on ({})\n", plan.examples, plan.input_format,
      plan.dev_examples, plan.dev_format);
  say("model     {} labels, {} words ({:.1f} % of the dev tokens unknown), {} numbers\n", plan.labels,
      plan.vocabulary, 100 * plan.unknown_share, count_text(static_cast<double>(plan.parameters)));
}

void say_language_model(const TrainingPlan& plan) {
  say("data      {} tokens in {} {} to learn from ({}), {} to measure on ({})\n", plan.examples,
      plan.documents, plan.documents == 1 ? "piece" : "pieces", plan.input_format, plan.dev_examples,
      plan.dev_format);
  say("model     {} different tokens ({:.2f} % of the dev tokens unknown), {} numbers\n", plan.vocabulary,
      100 * plan.unknown_share, count_text(static_cast<double>(plan.parameters)));
}

void say_translator(const TrainingPlan& plan) {
  say("data      {} pairs to learn from ({}), {} to measure on ({})\n", plan.examples, plan.input_format,
      plan.dev_examples, plan.dev_format);
  say("model     {} source and {} target tokens ({:.2f} % of the dev tokens unknown), {} numbers\n",
      plan.source_vocabulary, plan.vocabulary, 100 * plan.unknown_share,
      count_text(static_cast<double>(plan.parameters)));
}

void say_captioner(const TrainingPlan& plan) {
  say("data      {} captions to learn from ({}), {} to measure on ({}), {} pictures\n", plan.examples,
      plan.input_format, plan.dev_examples, plan.dev_format, plan.pictures);
  say("model     {} different tokens ({:.2f} % of the dev tokens unknown), {} numbers\n", plan.vocabulary,
      100 * plan.unknown_share, count_text(static_cast<double>(plan.parameters)));
}

// A language model is steered by its loss; people know its exponential.
std::string metric_text(double metric, DevMetric kind) {
  switch (kind) {
    case DevMetric::kPerplexity:
      return "ppl " + perplexity_text(-metric);
    case DevMetric::kBleu:
      return fmt::format("BLEU {:.2f}", metric);
    case DevMetric::kShare:
      break;
  }
  return fmt::format("{:.4f}", metric);
}

}  // namespace

std::string clock_text(double seconds) {
  const auto total = static_cast<int64_t>(std::lround(std::max(0.0, seconds)));
  if (total >= 3600) return fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  return fmt::format("{}:{:02}", total / 60, total % 60);
}

std::string perplexity_text(double loss) {
  const double perplexity = std::exp(loss);
  return perplexity < 1e6 ? fmt::format("{:.2f}", perplexity) : fmt::format("{:.1e}", perplexity);
}

std::string count_text(double count) {
  if (count >= 1e9) return fmt::format("{:.1f} G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.1f} M", count / 1e6);
  if (count >= 1e4) return fmt::format("{:.0f} k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

Progress::Progress() : live_(isatty(STDERR_FILENO) == 1), begun_(std::chrono::steady_clock::now()) {
  interrupted = false;
  for (const int signal : kSignals) {
    // nohup and a shell's background jobs ignore a signal, and so does their command.
    if (std::signal(signal, interrupt) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

Progress::~Progress() {
  clear_line();
  for (const int signal : kSignals) {
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
}

void Progress::clear_line() {
  if (line_shown_) say("\r\033[K");
  line_shown_ = false;
}

void Progress::planned(const TrainingPlan& plan) {
  for (const std::string& warning : plan.warnings) say("warning: {}\n", warning);
  if (plan.source_vocabulary > 0) {
    say_translator(plan);
    metric_ = DevMetric::kBleu;
  } else if (plan.pictures > 0) {
    say_captioner(plan);
    metric_ = DevMetric::kBleu;
  } else if (plan.labels == 0) {
    say_language_model(plan);
    metric_ = DevMetric::kPerplexity;
  } else {
    say_classifier(plan);
  }
  say("machine   {}, {} {}, about {:.0f} MB\n", plan.backend, plan.threads,
      plan.threads == 1 ? "thread" : "threads", std::max(1.0, static_cast<double>(plan.memory_bytes) / 1e6));
  say("plan      {} {}, {} an epoch\n", plan.updates, plan.updates == 1 ? "update" : "updates",
      plan.updates_per_epoch);
  if (plan.resumed_at > 0) say("resumed   at update {}\n", plan.resumed_at);
}

void Progress::progressed(const TrainingProgress& p) {
  last_ = p;
  const auto now = std::chrono::steady_clock::now();
  if (now - drawn_ < (live_ ? std::chrono::steady_clock::duration(kRedraw) : kPlainLine)) return;
  if (drawn_ == std::chrono::steady_clock::time_point{} && !live_) {
    drawn_ = now;
    return;
  }
  drawn_ = now;
  const std::string dev = std::isnan(p.dev_metric) ? "" : "  dev " + metric_text(p.dev_metric, metric_);
  const std::string line =
      fmt::format("epoch {:.2f}  update {}/{}  loss {}{}  |g| {:.2f}  clipped {:.0f} %  {} tokens/s  left {}",
                  p.epoch, p.update, p.updates, loss_text(p.loss), dev, p.gradient_norm,
                  100 * p.clipped_share, count_text(p.tokens_per_second), clock_text(p.seconds_left));
  if (live_) {
    say("\r\033[K{}", line);
    line_shown_ = true;
  } else {
    say("{}\n", line);
  }
}

void Progress::evaluated(const TrainingEvaluation& e) {
  clear_line();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  say("epoch {:<3} loss {}  dev loss {}  dev {}{}  clipped {:.0f} %  {} tokens/s  {}\n", e.epoch,
      loss_text(e.train_loss), loss_text(e.dev_loss), metric_text(e.dev_metric, metric_),
      e.best ? " *" : "  ", 100 * last_.clipped_share, count_text(last_.tokens_per_second),
      clock_text(seconds));
}

void Progress::skipped(const SkippedStep& step) {
  clear_line();
  const std::string lines = step.lines.empty() ? "" : "; lines of the input: " + line_list(step.lines);
  say("warning: update {} skipped: its gradient was infinite or undefined{}\n", step.update, lines);
}

void Progress::checkpoint_failed(const std::string& why) {
  clear_line();
  say("warning: no checkpoint: {}; the run goes on, and --resume would begin at the one before\n", why);
}

void Progress::report_failed(const std::string& why) {
  clear_line();
  say("warning: no report: {}; the run goes on, and tries again\n", why);
}

bool Progress::stop_wanted() { return interrupted; }

}  // namespace rondo::app
