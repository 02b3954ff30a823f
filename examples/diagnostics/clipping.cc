#include "diagnostics/clipping.h"

#include <cmath>

#include "diagnostics/gradients.h"
#include "training/optimizer.h"

namespace rondo::diagnostics {

namespace {

std::vector<Tensor> values_of(const ParameterSet& parameters) {
  std::vector<Tensor> values;
  for (const Parameter& parameter : parameters.all()) values.push_back(parameter.value.clone());
  return values;
}

// The step from `before` to the parameters as they are, beside the gradients that stand in them.
void compare(const std::vector<Tensor>& before, const ParameterSet& parameters, double rate,
             ClippedUpdate& to) {
  double product = 0, steps = 0, gradients = 0;
  for (size_t p = 0; p < before.size(); ++p) {
    const Parameter& parameter = parameters.all()[p];
    for (int64_t i = 0; i < before[p].size(); ++i) {
      const double step = parameter.value.at(i) - before[p].at(i), gradient = parameter.gradient.at(i);
      product -= step * gradient;
      steps += step * step;
      gradients += gradient * gradient;
    }
  }
  to.step = rate > 0 ? std::sqrt(steps) / rate : 0;
  to.cosine = product == 0 ? 0 : product / std::sqrt(steps * gradients);
}

ClippedUpdate update_once(Network& network, const Batch& batch, Optimizer& optimizer, double rate,
                          Backend& backend) {
  ClippedUpdate traced;
  const std::vector<std::vector<double>> ratios = gradient_ratios(network, batch, backend);
  const std::vector<double>& half_way = ratios[ratios.size() / 2];
  if (!half_way.empty()) traced.half_way = quartiles_of(half_way).median;
  Tape tape(backend, {.recording = true, .training = true});
  const Variable loss = loss_of(network.forward(tape, batch), batch);
  traced.loss = loss.value().at(0);
  tape.backward(loss);
  const std::vector<Tensor> before = values_of(network.parameters());
  const Optimizer::StepReport report = optimizer.step(rate);
  traced.norm = report.gradient_norm;
  if (report.finite) compare(before, network.parameters(), rate, traced);
  return traced;
}

}  // namespace

std::vector<ClippedUpdate> trace_clipping(const Problem& problem, const Options& options, Backend& backend,
                                          const std::function<void(const ClippedUpdate&)>& tell) {
  if (options.optimizer != OptimizerRule::kSgd) {
    throw_error<ConfigError>("--optimizer {}: clipping is traced with sgd, whose step is the gradient itself",
                             name_of(options.optimizer));
  }
  GradientOptions{.run = options, .problem = Sequences::kAdding}.check();
  Network network(problem, options);
  Optimizer optimizer(backend, network.parameters(), {.optimizer = options.optimizer, .clip = options.clip});
  const Schedule schedule(options.schedule);
  std::vector<ClippedUpdate> updates;
  for (int64_t update = 1; update <= options.updates; ++update) {
    const Batch batch = problem.training(static_cast<uint64_t>(options.seed), update, options.batch);
    const double rate = schedule.rate(options.lr, update - 1, options.updates);
    updates.push_back(update_once(network, batch, optimizer, rate, backend));
    updates.back().update = update;
    tell(updates.back());
  }
  return updates;
}

}  // namespace rondo::diagnostics
