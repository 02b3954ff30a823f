#include "models/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/device.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

using Complex = std::complex<double>;
constexpr double kStep = 1e-30;

// Sum of the losses of all sequences. `gradients`: also runs the tape backwards.
Complex total_loss(ClassifierNetwork& network, Backend& backend, const GradientCheckInput& input,
                   bool gradients) {
  Tape tape(backend, {.recording = gradients, .training = true, .random = Stream(input.seed)});
  const Variable logits = network.forward(tape, input.ids, input.packing).logits;
  const Variable losses = softmax_cross_entropy(logits, input.targets).losses;
  Tensor ones(losses.shape(), DType::kComplex128);
  ones.fill(1);
  const Variable loss = weighted_sum(losses, ones);
  if (gradients) tape.backward(loss);
  return loss.value().data<Complex>()[0];
}

// The gradient of one element; rows of a table that no token read have none.
double backpropagated(const Parameter& parameter, int64_t element) {
  if (!parameter.sparse) return parameter.gradient ? parameter.gradient.at(element) : 0;
  const int64_t columns = parameter.value.dim(1);
  const auto& rows = parameter.row_gradient.rows;
  const auto found = std::lower_bound(rows.begin(), rows.end(), element / columns);
  if (found == rows.end() || *found != element / columns) return 0;
  return parameter.row_gradient.values.at((found - rows.begin()) * columns + element % columns);
}

std::vector<int64_t> elements_to_check(const Parameter& parameter, const GradientCheckInput& input) {
  const int64_t size = parameter.value.size();
  if (input.samples <= 0 || input.samples >= size) {
    std::vector<int64_t> all(size);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  std::vector<int64_t> chosen;
  const Stream stream(input.seed, {2});
  const int64_t columns = parameter.value.shape().back();
  for (int64_t i = 0; i < input.samples; ++i) {
    // In a table, only rows that were read have a gradient: look at those.
    const auto row = parameter.sparse
                         ? static_cast<uint64_t>(input.ids[stream.below(2 * i, input.ids.size())])
                         : stream.below(2 * i, size / columns);
    chosen.push_back(static_cast<int64_t>(row) * columns +
                     static_cast<int64_t>(stream.below(2 * i + 1, columns)));
  }
  return chosen;
}

}  // namespace

std::vector<GradientCheck> check_gradients(const ClassifierNetwork& network,
                                           const GradientCheckInput& input) {
  const auto backend = open_device("reference", 1);
  const auto exact = network.cast(DType::kComplex128);
  total_loss(*exact, *backend, input, true);
  std::vector<GradientCheck> report;
  for (Parameter& parameter : exact->parameters().all()) {
    GradientCheck check{.parameter = parameter.name};
    double worst = 0;
    for (int64_t element : elements_to_check(parameter, input)) {
      Complex& value = parameter.value.data<Complex>()[element];
      const Complex kept = value;
      value += Complex(0, kStep);
      const double exact_gradient = total_loss(*exact, *backend, input, false).imag() / kStep;
      value = kept;
      worst = std::max(worst, std::abs(backpropagated(parameter, element) - exact_gradient));
      check.largest = std::max(check.largest, std::abs(exact_gradient));
      ++check.checked;
    }
    check.error = worst / std::max(1.0, check.largest);
    report.push_back(check);
  }
  return report;
}

}  // namespace rondo
