// The network of the diagnostics: its first weights, its loss, its figures.
#include "diagnostics/network.h"

#include <algorithm>
#include <cmath>

#include "layers/grid.h"
#include "tensor/operations.h"
#include "tensor/squared_error.h"

namespace rondo::diagnostics {

namespace {

constexpr double kNear = 0.04;  // Hochreiter & Schmidhuber's measure of a right sum

RecurrentOptions recurrent_options(const Options& options) {
  RecurrentOptions recurrent{.cell = options.cell,
                             .hidden = options.hidden,
                             .layers = options.layers,
                             .nonlinearity = options.nonlinearity,
                             .reset = options.reset,
                             .peepholes = options.peepholes,
                             .coupled = options.coupled,
                             .without = options.without,
                             .grid = options.grid,
                             .init = options.init};
  if (recurrent.has_forget_gates()) recurrent.forget_bias = options.forget_bias;
  return recurrent;
}

// Replaces and scales the weights that read the state.
void set_recurrent_weights(ParameterSet& parameters, const Options& options, const Stream& stream) {
  uint64_t layer = 0;
  for (Parameter& parameter : parameters.all()) {
    if (parameter.name.find(".weight_hh_") == std::string::npos) continue;
    const Tensor& w = parameter.value;
    if (options.recurrent == FirstWeights::kOrthogonal) initialize_orthogonal(w, stream.sub(layer));
    if (options.recurrent == FirstWeights::kIdentity) {
      for (int64_t i = 0; i < w.size(); ++i) w.data<float>()[i] = i / w.dim(1) == i % w.dim(1) ? 1 : 0;
    }
    for (float& value : w.values<float>()) value *= static_cast<float>(options.recurrent_scale);
    ++layer;
  }
}

struct Count {
  int64_t right = 0, all = 0;
};

// Where every step has an answer, those that are blank (class 0) are not counted: they are easily right.
void count_right(const Tensor& y, const Batch& batch, Count& count) {
  if (batch.values) {
    for (int64_t n = 0; n < batch.sequences; ++n, ++count.all) {
      count.right += std::abs(y.at(n) - batch.values.at(n)) < kNear;
    }
    return;
  }
  const int64_t outputs = y.dim(1);
  const bool every_step =
      batch.answers.empty() && static_cast<int64_t>(batch.classes.size()) > batch.sequences;
  for (size_t r = 0; r < batch.classes.size(); ++r) {
    if (every_step && batch.classes[r] == 0) continue;
    const float* row = y.data<float>() + static_cast<int64_t>(r) * outputs;
    count.right += std::max_element(row, row + outputs) - row == batch.classes[r];
    ++count.all;
  }
}

}  // namespace

Network::Network(const Problem& problem, const Options& options)
    : recurrent_(parameters_, problem.inputs(), recurrent_options(options)),
      linear_(parameters_, "linear", {.input = recurrent_.output_size(), .output = problem.outputs()}) {
  options.check();
  const Stream stream(static_cast<uint64_t>(options.seed), {1});
  recurrent_.initialize(stream.sub(0));
  linear_.initialize(Initialization::kTorch, stream.sub(1));
  set_recurrent_weights(parameters_, options, stream.sub(2));
}

Variable Network::forward(Tape& tape, const Batch& batch, std::vector<RecurrentTrace>* traces) const {
  const int64_t rows = batch.x.dim(0);
  const std::vector<int64_t> lengths(static_cast<size_t>(batch.sequences), rows / batch.sequences);
  const Packing packing(lengths);
  RecurrentOutput output = recurrent_.forward(tape, tape.input(batch.x), packing);
  if (traces != nullptr) *traces = std::move(output.traces);
  if (!batch.answers.empty()) return linear_.forward(gather({output.y, batch.answers}));
  const bool every_step = static_cast<int64_t>(batch.classes.size()) == rows;
  return linear_.forward(every_step ? output.y : final_rows(output.y, packing, recurrent_.options()));
}

Variable loss_of(const Variable& y, const Batch& batch) {
  if (batch.values) return mean_squared_error(y, batch.values);
  Tensor weights({static_cast<int64_t>(batch.classes.size())});
  weights.fill(1 / static_cast<double>(batch.classes.size()));
  return weighted_sum(softmax_cross_entropy(y, batch.classes).losses, weights);
}

Point measure(const Network& network, const std::vector<Batch>& test, Backend& backend) {
  Point point;
  Count count;
  double sequences = 0;
  for (const Batch& batch : test) {
    Tape tape(backend);
    const Variable y = network.forward(tape, batch);
    const auto weight = static_cast<double>(batch.sequences);
    point.loss += weight * loss_of(y, batch).value().at(0);
    sequences += weight;
    count_right(y.value(), batch, count);
  }
  point.loss /= sequences;
  point.accuracy = static_cast<double>(count.right) / static_cast<double>(count.all);
  return point;
}

}  // namespace rondo::diagnostics
