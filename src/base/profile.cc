#include "base/profile.h"

namespace rondo {

namespace {

constexpr std::array<const char*, Profile::kSections> kNames = {
    "reading",  "tokenising", "model",      "batches (waiting)", "forward",
    "backward", "optimiser",  "evaluation", "checkpoint",        "rest"};

double seconds_of(std::chrono::steady_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Profile::Section Profile::enter(Section section) {
  const Clock::time_point now = Clock::now();
  spent_[static_cast<size_t>(current_)] += now - since_;
  since_ = now;
  return std::exchange(current_, section);
}

Profile::Report Profile::report() {
  enter(current_);  // counts up to now
  Report report{.seconds = seconds_of(since_ - begun_), .operations = operations_};
  for (size_t i = 0; i < kSections; ++i) {
    const double seconds = seconds_of(spent_[i]);
    report.parts.push_back(
        {static_cast<Section>(i), kNames[i], seconds, report.seconds > 0 ? seconds / report.seconds : 0});
  }
  const auto seconds_in = [&](Section section) { return report.parts[static_cast<size_t>(section)].seconds; };
  const double passes = seconds_in(Section::kForward) + seconds_in(Section::kBackward);
  if (passes > 0) report.rate = operations_ / passes;
  return report;
}

}  // namespace rondo
