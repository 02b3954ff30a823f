// Four steps of every rule against torch.optim's formulas, worked out step by step outside this code:
// parameter 1, gradients 0.5 -0.25 1 0.125, rate 0.1, the defaults of torch otherwise.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "cases.h"
#include "kernels/reference/reference_backend.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using Rule = OptimizerStep::Rule;

struct Trajectory {
  Rule rule;
  double momentum;
  double weight_decay;
  std::vector<double> parameters;  ///< after each step
};

const std::vector<Trajectory>& trajectories() {
  static const std::vector<Trajectory> all = {
      {Rule::kSgd, 0, 0, {0.95, 0.975, 0.875, 0.8625}},
      {Rule::kSgd, 0.9, 0, {0.95, 0.93, 0.812, 0.6933}},
      {Rule::kSgd, 0.9, 0.01, {0.949, 0.927151, 0.806559749, 0.684721063351}},
      {Rule::kAdam, 0, 0, {0.900000002, 0.8733662987078463, 0.8075551396770898, 0.7476574665001419}},
      {Rule::kAdam,
       0,
       0.01,
       {0.9000000019607843, 0.8712293476231743, 0.8046143342173858, 0.7437551412177847}},
      {Rule::kAdamW, 0, 0.01, {0.899000002, 0.8714672987058463, 0.804784672376384, 0.7440822145270596}},
      {Rule::kRmsprop,
       0,
       0,
       {1.99999960038e-07, 0.4490133744217505, -0.4257262160714055, -0.5349618969615644}},
      {Rule::kRmsprop,
       0,
       0.01,
       {1.96078392967e-07, 0.4419425439411223, -0.4304248340526968, -0.5352008003875361}},
      {Rule::kAdagrad, 0, 0, {0.900000002, 0.9447213607499958, 0.8574342054175036, 0.8465876826206884}},
      {Rule::kAdagrad,
       0,
       0.01,
       {0.9000000019607843, 0.9427247896850441, 0.8554298402003353, 0.8439563790399017}},
  };
  return all;
}

/// @param scale  gradients are given this much too large, and the step told so.
template <class T>
void expect_trajectory(const Trajectory& want, double scale, double tolerance) {
  const auto backend = make_reference_backend();
  Array<T> parameter(1, 3, 1), gradient(1, 3), first(1, 3), second(1, 3);
  parameter.fill(1);
  const double gradients[] = {0.5, -0.25, 1, 0.125};
  for (int64_t t = 0; t < 4; ++t) {
    gradient.fill(static_cast<T>(gradients[t] * scale));
    OptimizerStep step;
    step.rule = want.rule;
    step.parameter = parameter;
    step.gradient = gradient;
    step.first = first;
    step.second = second;
    step.rate = 0.1;
    step.momentum = want.momentum;
    step.weight_decay = want.weight_decay;
    step.scale = 1 / scale;
    step.step = t + 1;
    backend->optimize(step);
    for (int64_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(parameter(0, c), want.parameters[t], tolerance)
          << "rule " << static_cast<int>(want.rule) << ", decay " << want.weight_decay << ", step " << t + 1;
    }
  }
  EXPECT_TRUE(parameter.padding_untouched());
}

TEST(Optimizer, RulesAreThoseOfTorchInDouble) {
  for (const Trajectory& want : trajectories()) expect_trajectory<double>(want, 1, 1e-13);
}

TEST(Optimizer, RulesAreThoseOfTorchInFloat) {
  // Four steps of roundings of 6e-8, the values of about 1.
  for (const Trajectory& want : trajectories()) expect_trajectory<float>(want, 1, 1e-6);
}

TEST(Optimizer, ScaleIsAppliedToTheGradientFirst) {
  for (const Trajectory& want : trajectories()) expect_trajectory<double>(want, 8, 1e-13);
}

TEST(Optimizer, MissingStateIsRefused) {
  const auto backend = make_reference_backend();
  Array<float> parameter(2, 2), gradient(2, 2), state(2, 2);
  OptimizerStep step;
  step.parameter = parameter;
  step.gradient = gradient;
  EXPECT_THROW(backend->optimize(step), ShapeError);  // adam without m and v
  step.first = state;
  step.second = state;
  step.step = 0;
  EXPECT_THROW(backend->optimize(step), ShapeError);  // would divide by 1 - beta^0 = 0
}

}  // namespace
}  // namespace rondo
