// The training of every diagnostic.
#include "diagnostics/network.h"
#include "training/optimizer.h"

namespace rondo::diagnostics {

std::vector<Point> train(Network& network, const Problem& problem, const Options& options, Backend& backend,
                         const std::function<void(const Point&)>& tell) {
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

std::vector<Point> run(const Problem& problem, const Options& options, Backend& backend,
                       const std::function<void(const Point&)>& tell) {
  Network network(problem, options);
  return train(network, problem, options, backend, tell);
}

}  // namespace rondo::diagnostics
