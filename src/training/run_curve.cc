#include "training/run_curve.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/errors.h"
#include "base/options.h"

namespace rondo {

namespace {

constexpr std::pair<const char*, double CurvePoint::*> kColumns[] = {{"step_loss", &CurvePoint::step_loss},
                                                                     {"loss", &CurvePoint::loss},
                                                                     {"rate", &CurvePoint::rate},
                                                                     {"norm", &CurvePoint::norm},
                                                                     {"norm_least", &CurvePoint::norm_least},
                                                                     {"norm_most", &CurvePoint::norm_most},
                                                                     {"clipped", &CurvePoint::clipped}};

nlohmann::json number(double value) {
  const auto narrow = static_cast<float>(value);
  if (!std::isfinite(narrow)) return nullptr;
  return shortest(narrow);
}

}  // namespace

void RunCurve::merge(CurvePoint& into, const CurvePoint& later) {
  const auto before = static_cast<double>(into.updates), added = static_cast<double>(later.updates);
  const auto mean = [&](double a, double b) { return (a * before + b * added) / (before + added); };
  CurvePoint both = later;
  both.updates = into.updates + later.updates;
  both.step_loss = mean(into.step_loss, later.step_loss);
  both.clipped = mean(into.clipped, later.clipped);
  both.norm_least = std::min(into.norm_least, later.norm_least);
  both.norm_most = std::max(into.norm_most, later.norm_most);
  into = both;
}

void RunCurve::add(const TrainingProgress& p) {
  const CurvePoint point{.update = p.update,
                         .updates = 1,
                         .step_loss = p.step_loss,
                         .loss = p.loss,
                         .rate = p.rate,
                         .norm = p.gradient_norm,
                         .norm_least = p.gradient_norm,
                         .norm_most = p.gradient_norm,
                         .clipped = p.clipped ? 1.0 : 0.0};
  if (!points_.empty() && place(points_.back().update) == place(p.update)) {
    merge(points_.back(), point);
    return;
  }
  if (points_.size() == kMost) thin();
  points_.push_back(point);
}

void RunCurve::thin() {
  width_ *= 2;
  std::vector<CurvePoint> kept;
  for (const CurvePoint& point : points_) {
    if (!kept.empty() && place(kept.back().update) == place(point.update)) {
      merge(kept.back(), point);
    } else {
      kept.push_back(point);
    }
  }
  points_ = std::move(kept);
}

nlohmann::json RunCurve::to_json() const {
  nlohmann::json json{{"width", width_}};
  nlohmann::json& update = json["update"] = nlohmann::json::array();
  nlohmann::json& updates = json["updates"] = nlohmann::json::array();
  for (const CurvePoint& point : points_) {
    update.push_back(point.update);
    updates.push_back(point.updates);
  }
  for (const auto& [name, member] : kColumns) {
    nlohmann::json& column = json[name] = nlohmann::json::array();
    for (const CurvePoint& point : points_) column.push_back(number(point.*member));
  }
  return json;
}

RunCurve RunCurve::from_json(const nlohmann::json& json) {
  RunCurve curve;
  curve.width_ = json.at("width").get<int64_t>();
  const nlohmann::json &update = json.at("update"), &updates = json.at("updates");
  if (curve.width_ < 1 || update.size() > kMost || updates.size() != update.size()) {
    throw_error<FormatError>("the curve of the report is damaged: {} points of {} updates", update.size(),
                             curve.width_);
  }
  curve.points_.resize(update.size());
  for (size_t i = 0; i < update.size(); ++i) {
    curve.points_[i].update = update.at(i).get<int64_t>();
    curve.points_[i].updates = updates.at(i).get<int64_t>();
    for (const auto& [name, member] : kColumns) {
      const nlohmann::json& value = json.at(name).at(i);
      curve.points_[i].*member =
          value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
    }
  }
  return curve;
}

}  // namespace rondo
