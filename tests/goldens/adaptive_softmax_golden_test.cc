// The adaptive softmax against PyTorch's: losses, log-probabilities and every gradient.
#include <gmock/gmock.h>

#include <cmath>

#include "golden_file.h"
#include "layers/softmax_output.h"
#include "tensor/device.h"

namespace rondo {
namespace {

void expect_same(const Tensor& values, const Tensor& golden, const std::string& what) {
  ASSERT_EQ(values.size(), golden.size()) << what;
  for (int64_t i = 0; i < golden.size(); ++i) {
    // float32 against float64 that was rounded once.
    ASSERT_NEAR(values.at(i), golden.at(i), 1e-5 * std::max(1.0, std::abs(golden.at(i)))) << what << " " << i;
  }
}

TEST(AdaptiveSoftmaxGolden, IsTheOneOfPyTorch) {
  const TensorFile golden = read_golden("adaptive_softmax");
  const auto ids = golden.find("targets").values<int32_t>();
  const std::vector<int32_t> targets(ids.begin(), ids.end());
  for (const char* device : {"cpu", "reference"}) {
    ParameterSet set;
    const SoftmaxOutput output(set, {.input = 16, .vocabulary = 20, .cutoffs = {5, 12}});
    for (Parameter& parameter : set.all()) parameter.value = golden.find(parameter.name);
    const auto backend = open_device(device, 2);
    Tape tape(*backend, {.recording = true});
    const Variable x = tape.input(golden.find("x"), true);
    expect_same(output.losses(x, targets), golden.find("losses"), "losses");
    expect_same(output.log_probabilities(x), golden.find("log_probabilities"), "log_probabilities");
    tape.backward(output.loss(x, targets, 1.0 / static_cast<double>(targets.size())));
    expect_same(x.gradient(), golden.find("d_x"), "d_x");
    ASSERT_EQ(set.all().size(), 5U);
    for (const Parameter& parameter : set.all()) {
      expect_same(parameter.gradient, golden.find("d_" + parameter.name), "d_" + parameter.name);
    }
  }
}

}  // namespace
}  // namespace rondo
