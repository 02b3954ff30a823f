#include "layers/recurrent_options.h"

namespace rondo {

namespace {

void refuse(bool wrong, const char* option, const char* needs) {
  if (wrong) throw_error<ConfigError>("--{} has no effect here: it needs {}", option, needs);
}

}  // namespace

void RecurrentOptions::check() const {
  const bool lstm = cell == Cell::kLstm;
  refuse(nonlinearity != Nonlinearity::kTanh && cell != Cell::kRnn, "nonlinearity", "--cell rnn");
  refuse(reset != Reset::kAfter && cell != Cell::kGru, "reset", "--cell gru");
  refuse(peepholes && !lstm, "peepholes", "--cell lstm");
  refuse(coupled && !lstm, "coupled", "--cell lstm");
  refuse(projection > 0 && !lstm, "projection", "--cell lstm");
  if (projection >= hidden) {
    throw_error<ConfigError>("--projection {}: it must be below --hidden {}, as in PyTorch", projection,
                             hidden);
  }
  refuse(forget_bias != 0 && !lstm, "forget-bias", "--cell lstm");
  refuse(
      dropout > 0 && layers < 2, "dropout",
      "--layers 2 or more (between them it stands); for one layer take --input-dropout or --output-dropout");
  refuse(locked_dropout && input_dropout == 0 && dropout == 0, "locked-dropout",
         "--input-dropout or --dropout");
}

CellKind RecurrentOptions::kind() const {
  return {.cell = cell,
          .relu = nonlinearity == Nonlinearity::kRelu,
          .reset_before = reset == Reset::kBefore,
          .peepholes = peepholes,
          .coupled = coupled};
}

}  // namespace rondo
