// The learning rate of each step: warmup, then constant, linear, cosine, one cycle, or lower on a plateau.
//   Schedule schedule({.schedule = ScheduleKind::kCosine, .warmup = 100});  rate = schedule.rate(1e-3, step,
//   total);
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/options.h"

namespace rondo {

enum class ScheduleKind { kConstant, kLinear, kCosine, kPlateau, kOneCycle };

template <>
inline constexpr auto kNames<ScheduleKind> =
    std::array{std::pair{ScheduleKind::kConstant, "constant"}, std::pair{ScheduleKind::kLinear, "linear"},
               std::pair{ScheduleKind::kCosine, "cosine"}, std::pair{ScheduleKind::kPlateau, "plateau"},
               std::pair{ScheduleKind::kOneCycle, "one-cycle"}};

struct ScheduleOptions {
  ScheduleKind schedule = ScheduleKind::kConstant;
  int64_t warmup = 0;
  double min_lr = 0;
  double plateau_factor = 0.5;
  int plateau_patience = 2;

  template <class Visitor>
  void visit(Visitor& v) {
    v("schedule", schedule, "how the learning rate moves after the warmup");
    v("warmup", warmup, "updates over which the learning rate rises from zero (not one-cycle)",
      Range{0, 1e12});
    v("min-lr", min_lr, "learning rate that linear and cosine end at and plateau does not go below",
      Range{0, 1e6});
    v("plateau-factor", plateau_factor, "what a plateau multiplies the learning rate by", Range{1e-6, 0.999});
    v("plateau-patience", plateau_patience, "evaluations without a better dev metric before it falls",
      Range{0, 1e6});
  }

  /// @throws ConfigError for an option that has no effect with this schedule.
  void check() const;
};

/// The learning rate as a function of the step; kPlateau also of the dev metric so far, which is its state.
class Schedule {
 public:
  /// @throws ConfigError as ScheduleOptions::check.
  explicit Schedule(ScheduleOptions options = {});

  /// The rate of update `step` of `total` (0 .. total-1), base b, minimum m, warmup w. Where step < w: b *
  /// (step+1) / w. Else with x = (step - w) / (total - w), at most 1:
  ///   constant  b
  ///   linear    m + (b - m) * (1 - x)
  ///   cosine    m + (b - m) * (1 + cos(pi*x)) / 2                  Loshchilov & Hutter 2017 (SGDR)
  ///   plateau   max(m, b * factor^falls)                          torch ReduceLROnPlateau
  ///   one-cycle with p = step / (total - 1): over the first 30 % by cosine from b/25 up to b, then by cosine
  ///             down to b/250,000                                 Smith & Topin 2018; torch OneCycleLR
  /// The minimum never lifts a rate above b. total <= 0 (unknown) is allowed for constant and plateau.
  /// @throws ConfigError if the schedule needs a total and there is none.
  double rate(double base, int64_t step, int64_t total) const;

  /// Tells the plateau of an evaluation; `metric` is better when higher. More than `patience` evaluations in
  /// a row without a better one let the rate fall. @return true if it fell now.
  bool report(double metric);

  nlohmann::json to_json() const;
  /// @throws FormatError if the state is not what to_json wrote.
  void from_json(const nlohmann::json& state);

 private:
  ScheduleOptions options_;
  bool reported_ = false;
  double best_ = 0;
  int64_t bad_ = 0;
  int64_t falls_ = 0;
};

}  // namespace rondo
