#include "training/recomputed_loss.h"

#include <algorithm>
#include <memory>

#include "base/errors.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

struct States {
  std::vector<Tensor> h, c;
};

// One segment: steps first .. first+steps-1 of all sequences; those that have ended keep their state.
struct Segment {
  Packing packing;
  std::span<const int32_t> inputs;
  std::vector<int32_t> targets;
};

Segment segment_of(const StreamChunk& chunk, int64_t first, int64_t steps) {
  std::vector<int64_t> lengths;
  for (int64_t n = 0; n < chunk.packing.sequences(); ++n) {
    lengths.push_back(std::clamp<int64_t>(chunk.packing.length(n) - first, 0, steps));
  }
  // Packed rows are time-major: a segment's rows are neighbours, in the same order.
  Segment segment{.packing = Packing(lengths), .inputs = {}, .targets = {}};
  const auto begin = static_cast<size_t>(chunk.packing.rows().row(first, 0));
  const auto count = static_cast<size_t>(segment.packing.num_rows());
  segment.inputs = std::span(chunk.inputs).subspan(begin, count);
  const auto targets = std::span(chunk.targets).subspan(begin, count);
  segment.targets.assign(targets.begin(), targets.end());
  return segment;
}

std::vector<Variable> on_tape(Tape& tape, const std::vector<Tensor>& values, bool needs_gradient) {
  std::vector<Variable> variables;
  for (const Tensor& value : values) variables.push_back(tape.input(value, needs_gradient));
  return variables;
}

std::vector<Tensor> gradients_of(const std::vector<Variable>& variables) {
  std::vector<Tensor> gradients;
  for (const Variable& variable : variables) gradients.push_back(variable.gradient());
  return gradients;
}

struct Run {
  const LanguageNetwork& network;
  Backend& backend;
  RecomputedChunk part;
  Stream random;  // the same for every segment: the masks of weights, types and sequences are shared
  bool training;
  std::vector<States> states;  // before each segment

  int64_t segments() const { return static_cast<int64_t>(states.size()); }

  // Loss and states behind a segment, nothing kept.
  double forward(int64_t s, States& final) const {
    Tape tape(backend, {.recording = false, .training = training, .random = random});
    const Segment segment = segment_of(*part.chunk, s * part.steps, part.steps);
    const LanguagePass pass = network.forward(tape, segment.inputs, segment.packing,
                                              {on_tape(tape, states[static_cast<size_t>(s)].h, false),
                                               on_tape(tape, states[static_cast<size_t>(s)].c, false)});
    final = {values_of(pass.final.h), values_of(pass.final.c)};
    return network.loss(pass, segment.targets, part.scale).value().at(0);
  }

  // The segment once more, and back: `d_final` becomes the gradient of the states before it.
  void backward(int64_t s, double upstream, States& d_final) const {
    Tape tape(backend, {.recording = true, .training = training, .random = random});
    const Segment segment = segment_of(*part.chunk, s * part.steps, part.steps);
    const RecurrentState before{on_tape(tape, states[static_cast<size_t>(s)].h, s > 0),
                                on_tape(tape, states[static_cast<size_t>(s)].c, s > 0)};
    const LanguagePass pass = network.forward(tape, segment.inputs, segment.packing, before);
    Variable total = network.loss(pass, segment.targets, part.scale * upstream);
    // <state, its gradient> has that gradient by the state.
    const auto add_states = [&](const std::vector<Variable>& finals, const std::vector<Tensor>& gradients) {
      for (size_t i = 0; i < gradients.size(); ++i) {
        if (gradients[i])
          total = add(total, weighted_sum(finals[i], gradients[i].reshape({gradients[i].size()})));
      }
    };
    add_states(pass.final.h, d_final.h);
    add_states(pass.final.c, d_final.c);
    tape.backward(total);
    d_final = {gradients_of(before.h), gradients_of(before.c)};
  }
};

}  // namespace

RecomputedLoss recomputed_loss(Tape& tape, const LanguageNetwork& network, const RecomputedChunk& part,
                               const RecurrentState& initial) {
  const RecurrentOptions& r = network.options().recurrent;
  if (!r.locked_dropout && (r.dropout > 0 || r.input_dropout > 0)) {
    throw_error<ConfigError>("--max-mem: segments share one dropout mask a sequence; give --locked-dropout");
  }
  if (r.bidirectional) {
    throw_error<ConfigError>(
        "--max-mem: segments go forwards; a model of both directions needs whole chunks");
  }
  const int64_t longest = part.chunk->packing.length(0);
  auto run = std::make_shared<Run>(Run{.network = network,
                                       .backend = tape.backend(),
                                       .part = part,
                                       .random = tape.next_stream(),
                                       .training = tape.options().training,
                                       .states = {}});
  States state{values_of(initial.h), values_of(initial.c)};
  double total = 0;
  for (int64_t s = 0; s * part.steps < longest; ++s) {
    run->states.push_back(state);
    total += run->forward(s, state);
  }
  Tensor loss({1});
  loss.fill(total);
  const Variable result = tape.make_source(loss, [run](const Gradients& g) {
    const double upstream = *g.result().row<float>(0);
    States d_final;
    for (int64_t s = run->segments() - 1; s >= 0; --s) run->backward(s, upstream, d_final);
  });
  return {.loss = result, .h = state.h, .c = state.c};
}

}  // namespace rondo
