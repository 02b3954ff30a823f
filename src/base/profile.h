// Where the wall time of a training goes: sections of the main thread that add up to all of it.
//   Profile profile;
//   { const Profile::Scope timed(&profile, Profile::Section::kForward); ... }   // null: costs one test
//   profile.report().parts[...].seconds
// Work of other threads is not counted: where the main thread waits for it, the wait is.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace rondo {

class Profile {
 public:
  enum class Section {
    kReading,
    kTokenising,
    kModel,
    kBatches,
    kForward,
    kBackward,
    kOptimizer,
    kEvaluation,
    kCheckpoint,
    kRest
  };
  static constexpr size_t kSections = static_cast<size_t>(Section::kRest) + 1;

  /// Counts for `section` until it ends, then goes on with the section before: what is inside another one is
  /// counted once, for the inner.
  class Scope {
   public:
    Scope(Profile* profile, Section section) : profile_(profile) {
      if (profile_) before_ = profile_->enter(section);
    }
    ~Scope() {
      if (profile_) profile_->enter(before_);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Profile* profile_;
    Section before_ = Section::kRest;
  };

  /// Time counts from here.
  Profile() : begun_(Clock::now()), since_(begun_) {}

  /// Adds the floating-point operations of a step's forward and backward pass.
  void count(double operations) { operations_ += operations; }

  struct Part {
    Section section;
    const char* name;
    double seconds = 0;
    double share = 0;  ///< of the wall time
  };
  struct Report {
    double seconds = 0;       ///< wall time
    std::vector<Part> parts;  ///< in the order of Section; their seconds sum to the wall time
    double operations = 0;    ///< of forward and backward together
    double rate = 0;          ///< of forward and backward, operations a second; 0: there were none
  };
  Report report();

 private:
  using Clock = std::chrono::steady_clock;
  Section enter(Section section);

  Clock::time_point begun_, since_;
  Section current_ = Section::kRest;
  std::array<Clock::duration, kSections> spent_{};
  double operations_ = 0;
};

}  // namespace rondo
