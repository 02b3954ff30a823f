// The curve of a run of any length in a page's worth of points: neighbours are put together as it grows.
//   RunCurve curve;  curve.add(progress);  nlohmann::json columns = curve.to_json();
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "training/training_observer.h"

namespace rondo {

/// Updates that stand one after the other.
struct CurvePoint {
  int64_t update = 0;     ///< the last of them
  int64_t updates = 0;    ///< how many; skipped ones are not counted
  double step_loss = 0;   ///< mean
  double loss = 0;        ///< mean over the epoch so far, at the last
  double rate = 0;        ///< at the last
  double norm = 0;        ///< the gradient's, at the last
  double norm_least = 0;  ///< of all
  double norm_most = 0;   ///< of all
  double clipped = 0;     ///< share of the updates
};

class RunCurve {
 public:
  /// Then each two neighbours become one.
  static constexpr size_t kMost = 2000;

  void add(const TrainingProgress& progress);
  const std::vector<CurvePoint>& points() const { return points_; }
  /// Updates that a point stands for; a power of two.
  int64_t width() const { return width_; }

  /// {"width": 4, "update": [...], "loss": [...], ...}: numbers as float32 in their shortest form; one that
  /// is not finite is null.
  nlohmann::json to_json() const;
  /// @throws FormatError if the columns do not belong together; nlohmann::json::exception.
  static RunCurve from_json(const nlohmann::json& json);

 private:
  /// Points of `width_` updates: point k holds the updates k*width_ + 1 to (k + 1)*width_.
  int64_t place(int64_t update) const { return (update - 1) / width_; }
  static void merge(CurvePoint& into, const CurvePoint& later);
  void thin();

  int64_t width_ = 1;
  std::vector<CurvePoint> points_;
};

}  // namespace rondo
