#include "diagnostics/gradients.h"

#include <algorithm>
#include <cmath>

namespace rondo::diagnostics {

namespace {

constexpr int64_t kUntrained = 0;  // training() counts its updates from 1

double norm_of(const Tensor& rows, int64_t row) {
  const int64_t width = rows.dim(1);
  const float* values = rows.data<float>() + row * width;
  double sum = 0;
  for (int64_t j = 0; j < width; ++j) sum += static_cast<double>(values[j]) * values[j];
  return std::sqrt(sum);
}

// Biases zero but for the forget bias.
void put_at_rest(Network& network, const Options& options) {
  for (Parameter& parameter : network.parameters().all()) {
    if (parameter.name.find(".bias_") != std::string::npos) parameter.value.fill(0);
  }
  const int64_t block = LstmBlocks(options.coupled, options.without).f;
  if (options.cell != Cell::kLstm || block < 0) return;
  float* forget = network.parameters().find("lstm.bias_ih_l0").value.data<float>() + block * options.hidden;
  std::fill_n(forget, options.hidden, static_cast<float>(options.forget_bias));
}

// The ratios of all networks at one number of updates.
struct Sample {
  int64_t update = 0;
  std::vector<double> losses;
  std::vector<std::vector<double>> ratios;

  void add(const std::vector<std::vector<double>>& more) {
    ratios.resize(more.size());
    for (size_t k = 0; k < more.size(); ++k) {
      ratios[k].insert(ratios[k].end(), more[k].begin(), more[k].end());
    }
  }
  GradientProfile profile() const {
    GradientProfile profile{.update = update, .losses = losses};
    for (const std::vector<double>& numbers : ratios) profile.after.push_back(quartiles_of(numbers));
    return profile;
  }
};

std::unique_ptr<Problem> problem_of(const GradientOptions& options) {
  if (options.problem == Sequences::kAdding) return make_adding(options.length);
  return make_noise(options.length, options.inputs);
}

}  // namespace

void GradientOptions::check() const {
  const bool noise = problem == Sequences::kNoise;
  if (run.cell == Cell::kGrid || run.layers != 1) {
    throw_error<ConfigError>("gradients: they are measured in one layer of rnn, lstm or gru, not in {} of {}",
                             run.layers, name_of(run.cell));
  }
  refuse_without_effect(at_rest && !noise, "at-rest", "--problem noise");
  refuse_without_effect(noise && run.updates != Options().updates, "updates", "--problem adding");
  refuse_without_effect(run.until <= 1 && (noise || networks > 1), "until",
                        "one network of --problem adding");
  refuse_without_effect(!noise && inputs != GradientOptions().inputs, "inputs", "--problem noise");
}

Quartiles quartiles_of(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const auto at = [&](double share) {
    const double place = share * static_cast<double>(numbers.size() - 1);
    const auto below = static_cast<size_t>(place);
    const double above = numbers[std::min(below + 1, numbers.size() - 1)];
    return numbers[below] + (place - std::floor(place)) * (above - numbers[below]);
  };
  return {at(0.25), at(0.5), at(0.75)};
}

std::vector<std::vector<double>> gradient_ratios(Network& network, const Batch& batch, Backend& backend) {
  Tape tape(backend, {.recording = true, .tracing = true});
  std::vector<RecurrentTrace> traces;
  tape.backward(loss_of(network.forward(tape, batch, &traces), batch));
  network.parameters().clear_gradients();
  const Tensor& d_states = traces.at(0).d_states;
  const int64_t sequences = batch.sequences, steps = d_states.dim(0) / sequences;
  std::vector<std::vector<double>> ratios(static_cast<size_t>(steps));
  for (int64_t n = 0; n < sequences; ++n) {
    const double last = norm_of(d_states, (steps - 1) * sequences + n);
    if (last == 0) continue;
    for (int64_t k = 0; k < steps; ++k) {
      ratios[static_cast<size_t>(k)].push_back(norm_of(d_states, (steps - 1 - k) * sequences + n) / last);
    }
  }
  return ratios;
}

std::vector<GradientProfile> measure_gradients(const GradientOptions& options, Backend& backend,
                                               const std::function<void(int64_t, const Point&)>& tell) {
  options.check();
  const auto problem = problem_of(options);
  const bool trained = options.problem == Sequences::kAdding;
  const int64_t networks = options.networks > 0 ? options.networks : trained ? 1 : 32;
  std::vector<Sample> samples;
  for (int64_t i = 0; i < networks; ++i) {
    Options run = options.run;
    run.seed += i;
    Network network(*problem, run);
    if (options.at_rest) put_at_rest(network, run);
    Batch batch = problem->training(static_cast<uint64_t>(run.seed), kUntrained, options.sequences);
    if (options.at_rest) batch.x.fill(0);
    size_t evaluation = 0;
    const auto sample = [&](const Point& point) {
      if (evaluation == samples.size()) samples.emplace_back();
      Sample& at = samples[evaluation++];
      at.update = point.update;
      at.add(gradient_ratios(network, batch, backend));
      if (!trained) return;
      at.losses.push_back(point.loss);
      tell(i, point);
    };
    sample(trained ? measure(network, problem->test(), backend) : Point());
    if (trained) train(network, *problem, run, backend, sample);
  }
  std::vector<GradientProfile> profiles;
  for (const Sample& s : samples) profiles.push_back(s.profile());
  return profiles;
}

}  // namespace rondo::diagnostics
