#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace rondo {
namespace {

// torch.optim.lr_scheduler.OneCycleLR: pct_start, div_factor, and div_factor * final_div_factor.
constexpr double kCycleRise = 0.3;
constexpr double kCycleStart = 1.0 / 25;
constexpr double kCycleEnd = 1.0 / 250000;

/// From `from` at x = 0 to `to` at x = 1 along half a cosine.
double anneal(double from, double to, double x) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * x)) / 2;
}

double one_cycle(double base, int64_t step, int64_t total) {
  const double top = kCycleRise * static_cast<double>(total) - 1;
  const double last = static_cast<double>(total) - 1;
  const double now = std::min(static_cast<double>(step), last);
  if (now <= top) return top > 0 ? base * anneal(kCycleStart, 1, now / top) : base;
  return base * anneal(1, kCycleEnd, last > top ? (now - top) / (last - top) : 1);
}

bool needs_total(ScheduleKind kind) {
  return kind != ScheduleKind::kConstant && kind != ScheduleKind::kPlateau;
}

}  // namespace

void ScheduleOptions::check() const {
  const ScheduleOptions defaults;
  const auto refuse = [&](bool has_effect, double value, double initial, const char* name) {
    if (has_effect || value == initial) return;
    throw_error<ConfigError>("--{} {} has no effect with --schedule {}; leave it out", name, value,
                             name_of(schedule));
  };
  const bool plateau = schedule == ScheduleKind::kPlateau;
  const bool has_end = schedule == ScheduleKind::kLinear || schedule == ScheduleKind::kCosine;
  refuse(schedule != ScheduleKind::kOneCycle, static_cast<double>(warmup),
         static_cast<double>(defaults.warmup), "warmup");
  refuse(plateau || has_end, min_lr, defaults.min_lr, "min-lr");
  refuse(plateau, plateau_factor, defaults.plateau_factor, "plateau-factor");
  refuse(plateau, plateau_patience, defaults.plateau_patience, "plateau-patience");
}

Schedule::Schedule(ScheduleOptions options) : options_(options) { options_.check(); }

double Schedule::rate(double base, int64_t step, int64_t total) const {
  const ScheduleKind kind = options_.schedule;
  if (needs_total(kind) && total <= 0) {
    throw_error<ConfigError>("--schedule {} must know the number of updates; set --after", name_of(kind));
  }
  if (kind == ScheduleKind::kOneCycle) return one_cycle(base, step, total);
  const int64_t warmup = options_.warmup;
  if (step < warmup) return base * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const double low = std::min(options_.min_lr, base);
  if (kind == ScheduleKind::kConstant) return base;
  if (kind == ScheduleKind::kPlateau) {
    return std::max(low, base * std::pow(options_.plateau_factor, static_cast<double>(falls_)));
  }
  const double span = static_cast<double>(total) - static_cast<double>(warmup);
  const double x = span > 0 ? std::min(1.0, static_cast<double>(step - warmup) / span) : 1.0;
  if (kind == ScheduleKind::kLinear) return low + (base - low) * (1 - x);
  return anneal(base, low, x);
}

bool Schedule::report(double metric) {
  if (options_.schedule != ScheduleKind::kPlateau) return false;
  if (std::isfinite(metric) && (!reported_ || metric > best_)) {
    reported_ = true;
    best_ = metric;
    bad_ = 0;
    return false;
  }
  if (++bad_ <= options_.plateau_patience) return false;
  bad_ = 0;
  ++falls_;
  return true;
}

nlohmann::json Schedule::to_json() const {
  return {{"reported", reported_}, {"best", best_}, {"bad", bad_}, {"falls", falls_}};
}

void Schedule::from_json(const nlohmann::json& state) {
  try {
    Schedule read(options_);
    state.at("reported").get_to(read.reported_);
    state.at("best").get_to(read.best_);
    state.at("bad").get_to(read.bad_);
    state.at("falls").get_to(read.falls_);
    if (read.bad_ < 0 || read.falls_ < 0) throw_error<FormatError>("schedule: a negative count");
    *this = read;
  } catch (const nlohmann::json::exception& error) {
    throw_error<FormatError>("schedule: the state is damaged: {}", error.what());
  }
}

}  // namespace rondo
