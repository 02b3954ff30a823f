#include "models/translator_options.h"

#include "base/errors.h"

namespace rondo {

RecurrentOptions TranslatorOptions::stack(int64_t units, int64_t count) const {
  RecurrentOptions options{.cell = cell,
                           .hidden = units,
                           .layers = count,
                           .init = init,
                           .forget_bias = cell == Cell::kLstm ? forget_bias : 0,
                           .precision = precision};
  if (options.layers > 1) options.dropout = dropout;
  options.locked_dropout = locked_dropout && options.dropout > 0;
  return options;
}

RecurrentOptions TranslatorOptions::encoder() const {
  const int64_t directions = bidirectional ? 2 : 1;
  RecurrentOptions options = stack(encoder_hidden > 0 ? encoder_hidden : hidden / directions,
                                   encoder_layers > 0 ? encoder_layers : layers);
  options.bidirectional = bidirectional;
  return options;
}

RecurrentOptions TranslatorOptions::decoder() const { return stack(hidden, layers); }

int64_t TranslatorOptions::decoder_input() const {
  if (attention == AttentionKind::kBahdanau) return embedding + memory();
  return embedding + (input_feeding ? output() : 0);
}

void TranslatorOptions::check() const {
  const TranslatorOptions defaults;
  if (bidirectional && encoder_hidden == 0 && hidden % 2 != 0) {
    throw_error<ConfigError>(
        "--hidden {}: the encoder's two directions share it, so it must be even; or give --encoder-hidden",
        hidden);
  }
  if (cell == Cell::kGrid) throw_error<ConfigError>("--cell grid: a translator has rnn, lstm or gru");
  encoder().check();
  decoder().check();
  const bool places = input_dropout > 0 || output_dropout > 0 || dropout > 0;
  refuse_without_effect(locked_dropout && !places, "locked-dropout",
                        "--input-dropout, --dropout or --output-dropout");
  refuse_without_effect(dropout > 0 && layers < 2 && encoder_layers < 2, "dropout", "--layers 2 or more");
  refuse_without_effect(forget_bias != 0 && forget_bias != defaults.forget_bias && cell != Cell::kLstm,
                        "forget-bias", "--cell lstm");
  refuse_without_effect(window != defaults.window && attention != AttentionKind::kLocal, "window",
                        "--attention local-p");
  refuse_without_effect(input_feeding && (!attends() || attention == AttentionKind::kBahdanau),
                        "input-feeding", "--attention dot, general, concat or local-p");
  if (!attends() && bridge == Bridge::kZero) {
    throw_error<ConfigError>(
        "--attention none and --bridge zero: the decoder learns nothing of the source; choose one of them");
  }
  if (attention == AttentionKind::kDot && memory() != hidden) {
    throw_error<ConfigError>(
        "--attention dot: a state of the decoder has {} numbers, an output of the encoder {}; make them "
        "equal by --encoder-hidden, or take --attention general",
        hidden, memory());
  }
  const bool fits = memory() == hidden && encoder().layers == layers;
  if (bridge == Bridge::kLast && !fits) {
    throw_error<ConfigError>(
        "--bridge last: {} layers of {} numbers cannot begin {} layers of {}; leave --encoder-hidden and "
        "--encoder-layers out, or take --bridge dense",
        encoder().layers, memory(), layers, hidden);
  }
  if (locked_dropout && layers > 1 && dropout > 0 && stepwise()) {
    throw_error<ConfigError>(
        "--locked-dropout: between the decoder's layers no mask is held from step to step with {}; "
        "leave one of them out",
        input_feeding ? "--input-feeding" : "--attention bahdanau");
  }
}

double TranslatorOptions::num_values(int64_t source, int64_t target) const {
  const auto m = static_cast<double>(memory()), h = static_cast<double>(hidden);
  const auto out = static_cast<double>(output()), e = static_cast<double>(embedding);
  const auto size = static_cast<double>(attention_size());
  double total = static_cast<double>(target) * (e + 1) + (tied ? 0 : static_cast<double>(target) * out);
  if (!(joint && tied)) total += static_cast<double>(source) * e;
  total += encoder().num_values(embedding) + decoder().num_values(decoder_input());
  const double states = static_cast<double>(layers) * (cell == Cell::kLstm ? 2 : 1);
  if (bridge == Bridge::kDense || bridge == Bridge::kMean) total += states * h * (m + 1);
  total += out * (h + (attends() ? m : 0) + 1);
  switch (attention) {
    case AttentionKind::kNone:
    case AttentionKind::kDot:
      break;
    case AttentionKind::kBahdanau:
    case AttentionKind::kConcat:
      total += size * (h + m + 2);
      break;
    case AttentionKind::kLocal:
      total += size * (h + 1) + h * m;
      break;
    case AttentionKind::kGeneral:
      total += h * m;
      break;
  }
  return total;
}

}  // namespace rondo
