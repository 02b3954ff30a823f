#include "layers/recurrent_options.h"

namespace rondo {

void RecurrentOptions::check(bool drops_outputs) const {
  const bool lstm = cell == Cell::kLstm;
  refuse_without_effect(nonlinearity != Nonlinearity::kTanh && cell != Cell::kRnn, "nonlinearity",
                        "--cell rnn");
  refuse_without_effect(reset != Reset::kAfter && cell != Cell::kGru, "reset", "--cell gru");
  refuse_without_effect(peepholes && !lstm, "peepholes", "--cell lstm");
  refuse_without_effect(coupled && !lstm && cell != Cell::kGru, "coupled", "--cell lstm or gru");
  refuse_without_effect(without != Ablation::kNone && !lstm, "without", "--cell lstm");
  if (coupled && (without == Ablation::kInputGate || without == Ablation::kForgetGate)) {
    throw_error<ConfigError>("--without {}: --coupled makes one of the other; leave one of both options out",
                             name_of(without));
  }
  refuse_without_effect(projection > 0 && !lstm, "projection", "--cell lstm");
  if (projection >= hidden) {
    throw_error<ConfigError>("--projection {}: it must be below --hidden {}, as in PyTorch", projection,
                             hidden);
  }
  refuse_without_effect(last_hidden > 0 && layers < 2, "last-hidden",
                        "--layers 2 or more; for one layer take --hidden");
  if (last_hidden > 0 && projection >= last_hidden) {
    throw_error<ConfigError>("--projection {}: it must be below --last-hidden {}, as in PyTorch", projection,
                             last_hidden);
  }
  refuse_without_effect(forget_bias != 0 && !has_forget_gates(), "forget-bias",
                        "a forget gate: --cell lstm with it, or grid");
  refuse_without_effect(
      dropout > 0 && layers < 2, "dropout",
      "--layers 2 or more (between them it stands); for one layer take --input-dropout or --output-dropout");
  const bool drops = input_dropout > 0 || dropout > 0 || drops_outputs;
  refuse_without_effect(locked_dropout && !drops, "locked-dropout", "--input-dropout or --dropout");
  check_grid();
}

void RecurrentOptions::check_grid() const {
  const GridOptions defaults;
  if (!is_grid()) {
    refuse_without_effect(grid.tied_layers, "tied-layers", "--cell grid");
    refuse_without_effect(grid.along_depth != defaults.along_depth, "along-depth", "--cell grid");
    refuse_without_effect(grid.along_time != defaults.along_time, "along-time", "--cell grid");
    refuse_without_effect(grid.priority != defaults.priority, "priority", "--cell grid");
    refuse_without_effect(grid.output_gate != defaults.output_gate, "output-gate", "--cell grid");
    return;
  }
  const bool alone = grid.along_time == Along::kNone;
  if (grid.along_depth == Along::kNone) {
    throw_error<ConfigError>("--along-depth none: nothing would reach the output; take lstm, or identity");
  }
  if (precision == Precision::kInt8) {
    throw_error<ConfigError>("--precision int8: a grid runs in f32 or bf16");
  }
  refuse_without_effect(last_hidden > 0, "last-hidden",
                        "another cell than grid: its layers are equally wide");
  refuse_without_effect(grid.tied_layers && layers < 2, "tied-layers", "--layers 2 or more");
  refuse_without_effect(alone && grid.priority != defaults.priority, "priority", "a grid with time");
  refuse_without_effect(alone && bidirectional, "bidirectional", "a grid with time");
  const bool by_steps = alone || grid.priority == Priority::kTime;
  refuse_without_effect(state_dropout > 0 && by_steps, "state-dropout",
                        "a grid with time whose priority is depth or none");
  refuse_without_effect(weight_dropout > 0 && alone, "weight-dropout", "a grid with time");
  refuse_without_effect(!has_forget_gates() && grid.output_gate != defaults.output_gate, "output-gate",
                        "lstm along depth or time");
}

CellKind RecurrentOptions::kind() const {
  if (is_grid()) {
    return kind_along(grid.dimensions() > 1 ? grid.along_time : grid.along_depth, grid.output_gate);
  }
  return {.cell = cell,
          .relu = nonlinearity == Nonlinearity::kRelu,
          .reset_before = reset == Reset::kBefore,
          .peepholes = peepholes,
          .coupled = coupled,
          .without = without};
}

namespace {

// Weights of one direction of a layer that are multiplied with a state or an input.
double num_weights(const RecurrentOptions& options, int64_t layer, int64_t input) {
  const auto hidden = static_cast<double>(options.hidden_of(layer));
  const auto output = static_cast<double>(options.output_of(layer));
  const double rows = static_cast<double>(options.kind().blocks()) * hidden;
  return rows * (static_cast<double>(options.input_of(layer, input)) + output) +
         (options.projection > 0 ? output * hidden : 0);
}

}  // namespace

double RecurrentOptions::num_values(int64_t input) const {
  if (is_grid()) {
    const auto columns = static_cast<double>(output_of(0));
    const double blocks = static_cast<double>(grid.tied_layers ? 1 : layers) * block_values(grid, hidden);
    return static_cast<double>(directions()) * (columns * (static_cast<double>(input) + 1) + blocks);
  }
  double total = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t others = 2 * kind().blocks() + kind().peephole_rows();
    total += num_weights(*this, layer, input) +
             static_cast<double>(others) * static_cast<double>(hidden_of(layer));
  }
  return total * static_cast<double>(directions());
}

double RecurrentOptions::operations(int64_t input) const {
  if (is_grid()) {
    const double blocks = static_cast<double>(layers) * block_operations(grid, hidden);
    return static_cast<double>(directions()) *
           (2 * static_cast<double>(output_of(0)) * static_cast<double>(input) + blocks);
  }
  double total = 0;
  for (int64_t layer = 0; layer < layers; ++layer) total += 2 * num_weights(*this, layer, input);
  return total * static_cast<double>(directions());
}

}  // namespace rondo
