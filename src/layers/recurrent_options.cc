#include "layers/recurrent_options.h"

namespace rondo {

void RecurrentOptions::check(bool drops_outputs) const {
  const bool lstm = cell == Cell::kLstm;
  refuse_without_effect(nonlinearity != Nonlinearity::kTanh && cell != Cell::kRnn, "nonlinearity",
                        "--cell rnn");
  refuse_without_effect(reset != Reset::kAfter && cell != Cell::kGru, "reset", "--cell gru");
  refuse_without_effect(peepholes && !lstm, "peepholes", "--cell lstm");
  refuse_without_effect(coupled && !lstm, "coupled", "--cell lstm");
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
  refuse_without_effect(forget_bias != 0 && !lstm, "forget-bias", "--cell lstm");
  refuse_without_effect(
      dropout > 0 && layers < 2, "dropout",
      "--layers 2 or more (between them it stands); for one layer take --input-dropout or --output-dropout");
  const bool drops = input_dropout > 0 || dropout > 0 || drops_outputs;
  refuse_without_effect(locked_dropout && !drops, "locked-dropout", "--input-dropout or --dropout");
}

CellKind RecurrentOptions::kind() const {
  return {.cell = cell,
          .relu = nonlinearity == Nonlinearity::kRelu,
          .reset_before = reset == Reset::kBefore,
          .peepholes = peepholes,
          .coupled = coupled};
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
  double total = 0;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t others = 2 * kind().blocks() + kind().peephole_rows();
    total += num_weights(*this, layer, input) +
             static_cast<double>(others) * static_cast<double>(hidden_of(layer));
  }
  return total * static_cast<double>(directions());
}

double RecurrentOptions::operations(int64_t input) const {
  double total = 0;
  for (int64_t layer = 0; layer < layers; ++layer) total += 2 * num_weights(*this, layer, input);
  return total * static_cast<double>(directions());
}

}  // namespace rondo
