#include "training/arithmetic.h"

#include <algorithm>
#include <chrono>

#include "tensor/tensor.h"

namespace rondo {

Arithmetic arithmetic_of(const ClassifierOptions& options, int64_t labels) {
  const RecurrentOptions& r = options.recurrent;
  const double width = static_cast<double>(r.directions()) * static_cast<double>(r.output());
  const double rows = r.is_grid()
                          ? static_cast<double>(r.output_of(0))
                          : static_cast<double>(r.kind().blocks()) * static_cast<double>(r.hidden_of(0));
  Arithmetic cost{.per_token = r.operations(options.embedding)};
  cost.to_input = 2 * static_cast<double>(r.directions()) * rows * static_cast<double>(options.embedding);
  if (options.pool == PoolKind::kAttention) cost.per_token += 2 * width * (width + 1);
  const double pooled = width * (options.pool == PoolKind::kConcat ? 3 : 1);
  cost.per_text = 2 * pooled * static_cast<double>(labels);
  return cost;
}

Arithmetic arithmetic_of(const TaggerOptions& options, int64_t labels) {
  const RecurrentOptions& r = options.recurrent;
  const auto outputs = static_cast<double>(labels), tanh = static_cast<double>(options.tanh);
  const double width = static_cast<double>(r.directions()) * static_cast<double>(r.output());
  const double rows = static_cast<double>(r.kind().blocks()) * static_cast<double>(r.hidden_of(0));
  Arithmetic cost{.per_token = r.operations(options.input_size())};
  cost.per_token += 2 * width * tanh + 2 * (tanh > 0 ? tanh : width) * outputs;
  if (options.output == TaggerOutput::kCrf) cost.per_token += 2 * outputs * outputs;
  if (options.characters == CharacterPart::kLstm) {
    cost.per_character = options.character_recurrent().operations(options.character_embedding);
  }
  // What else a word is read by wants its gradient still.
  const bool alone = options.characters == CharacterPart::kNone && options.casing == 0;
  if (alone) {
    cost.to_input = 2 * static_cast<double>(r.directions()) * rows * static_cast<double>(options.embedding);
  }
  return cost;
}

double measured_peak(Backend& backend) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t kRows = 96, kSize = 512;
  constexpr auto kLong = std::chrono::milliseconds(50);
  Tensor a({kRows, kSize}), b({kSize, kSize}), c({kRows, kSize});
  a.fill(0.5);
  b.fill(0.5);
  const auto begun = Clock::now();
  Clock::duration best = Clock::duration::max();
  do {
    const auto start = Clock::now();
    backend.product({.a = a.matrix(), .b = b.matrix(), .c = c.matrix()});
    best = std::min(best, Clock::now() - start);
  } while (Clock::now() - begun < kLong);
  return 2.0 * kRows * kSize * kSize / std::chrono::duration<double>(best).count();
}

}  // namespace rondo
