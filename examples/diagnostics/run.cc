// Recurrent layers, one linear layer, Adam: the training of every diagnostic.
#include <algorithm>
#include <cmath>

#include "diagnostics/diagnostics.h"
#include "layers/grid.h"
#include "layers/linear.h"
#include "layers/recurrent.h"
#include "tensor/operations.h"
#include "tensor/squared_error.h"
#include "training/optimizer.h"

namespace rondo::diagnostics {

namespace {

constexpr double kNear = 0.04;  // Hochreiter & Schmidhuber's measure of a right sum

class Network {
 public:
  Network(const Problem& problem, const Options& options)
      : recurrent_(parameters_, problem.inputs(), recurrent_options(options)),
        linear_(parameters_, "linear", {.input = recurrent_.output_size(), .output = problem.outputs()}) {
    const Stream stream(static_cast<uint64_t>(options.seed), {1});
    recurrent_.initialize(stream.sub(0));
    linear_.initialize(Initialization::kTorch, stream.sub(1));
  }
  ParameterSet& parameters() { return parameters_; }

  /// [N, outputs], or [steps*N, outputs] where the batch wants an answer at every step.
  Variable forward(Tape& tape, const Batch& batch) const {
    const int64_t rows = batch.x.dim(0);
    const std::vector<int64_t> lengths(static_cast<size_t>(batch.sequences), rows / batch.sequences);
    const Packing packing(lengths);
    const RecurrentOutput output = recurrent_.forward(tape, tape.input(batch.x), packing);
    if (!batch.answers.empty()) return linear_.forward(gather({output.y, batch.answers}));
    const bool every_step = static_cast<int64_t>(batch.classes.size()) == rows;
    return linear_.forward(every_step ? output.y : final_rows(output.y, packing, recurrent_.options()));
  }

 private:
  static RecurrentOptions recurrent_options(const Options& options) {
    RecurrentOptions recurrent{.cell = options.cell,
                               .hidden = options.hidden,
                               .layers = options.layers,
                               .grid = options.grid,
                               .init = options.init};
    if (recurrent.has_forget_gates()) recurrent.forget_bias = options.forget_bias;
    return recurrent;
  }

  ParameterSet parameters_;
  RecurrentStack recurrent_;
  Linear linear_;
};

Variable loss_of(const Variable& y, const Batch& batch) {
  if (batch.values) return mean_squared_error(y, batch.values);
  Tensor weights({static_cast<int64_t>(batch.classes.size())});
  weights.fill(1 / static_cast<double>(batch.classes.size()));
  return weighted_sum(softmax_cross_entropy(y, batch.classes).losses, weights);
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

}  // namespace

std::vector<Point> run(const Problem& problem, const Options& options, Backend& backend,
                       const std::function<void(const Point&)>& tell) {
  Network network(problem, options);
  Optimizer optimizer(backend, network.parameters(), {.optimizer = options.optimizer, .clip = options.clip});
  const Schedule schedule(options.schedule);
  const std::vector<Batch> test = problem.test();
  std::vector<Point> curve;
  for (int64_t update = 1; update <= options.updates; ++update) {
    const Batch batch = problem.training(static_cast<uint64_t>(options.seed), update, options.batch);
    network.parameters().clear_gradients();
    Tape tape(backend, {.recording = true, .training = true});
    tape.backward(loss_of(network.forward(tape, batch), batch));
    optimizer.step(schedule.rate(options.lr, update - 1, options.updates));
    if (update % options.evaluate_every != 0 && update != options.updates) continue;
    curve.push_back(measure(network, test, backend));
    curve.back().update = update;
    tell(curve.back());
    if (curve.back().accuracy >= options.until) break;
  }
  return curve;
}

}  // namespace rondo::diagnostics
