// A thousand steps on the rows of a table against torch.optim's dense ones.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>

#include "golden_file.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/reference/reference_backend.h"
#include "training/optimizer.h"

namespace rondo {
namespace {

constexpr int64_t kRows = 32, kColumns = 4, kSteps = 1000;
constexpr double kRate = 1e-2;

/// The generator of tools/make_goldens.py.
class Draws {
 public:
  int64_t below(uint64_t bound) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<int64_t>((state_ >> 33) % bound);
  }

 private:
  uint64_t state_ = 1;
};

RowGradient sparse_gradient(Draws& draws) {
  std::vector<int32_t> rows;
  std::vector<float> values;
  for (int64_t row = 0; row < kRows; ++row) {
    if (draws.below(row + 1) != 0) continue;
    rows.push_back(static_cast<int32_t>(row));
    for (int64_t c = 0; c < kColumns; ++c)
      values.push_back(static_cast<float>(draws.below(1024) - 384) / 1024);
  }
  const auto count = static_cast<int64_t>(rows.size());
  return {std::move(rows), Tensor::from(values).reshape({count, kColumns})};
}

struct Rule {
  const char* name;
  OptimizerOptions options;
};

const Rule kRules[] = {
    {"adam", {.clip = 0}},
    {"adamw", {.optimizer = OptimizerRule::kAdamW, .weight_decay = 0.1, .clip = 0}},
    {"sgd", {.optimizer = OptimizerRule::kSgd, .momentum = 0.9, .clip = 0}},
    {"adagrad", {.optimizer = OptimizerRule::kAdagrad, .clip = 0}},
    {"rmsprop", {.optimizer = OptimizerRule::kRmsprop, .clip = 0}},
};

double norm(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

/// |got - wanted| / |wanted|. Element by element float32's own roundings over 1,000 steps would be above 1e-6
/// where an element is near zero.
double relative_error(const Tensor& got, const Tensor& wanted) {
  std::vector<double> difference, size;
  for (int64_t i = 0; i < wanted.size(); ++i) {
    difference.push_back(got.at(i) - wanted.at(i));
    size.push_back(wanted.at(i));
  }
  return norm(difference) / norm(size);
}

TEST(OptimizerGolden, AThousandStepsOfTouchedRowsEqualTorchsDenseOnes) {
  const TensorFile golden = read_golden("optimizers");
  std::vector<std::unique_ptr<Backend>> backends;
  backends.push_back(make_reference_backend());
  backends.push_back(make_cpu_backend(2));
  for (const auto& backend : backends) {
    for (const Rule& rule : kRules) {
      ParameterSet parameters;
      Parameter& table = parameters.add("table", golden.find("initial").clone());
      table.sparse = true;
      Optimizer optimizer(*backend, parameters, rule.options);
      Draws draws;
      for (int64_t step = 0; step < kSteps; ++step) {
        table.row_gradient = sparse_gradient(draws);
        optimizer.step(kRate);
      }
      optimizer.settle();
      EXPECT_LT(relative_error(table.value, golden.find(rule.name)), 1e-6)
          << rule.name << ", " << backend->name();
      EXPECT_GT(relative_error(golden.find("initial"), golden.find(rule.name)), 0.1) << rule.name;
    }
  }
}

}  // namespace
}  // namespace rondo
