// How much of the gradient of the last state reaches the state k steps before it, ||dL/ds_{T-k}|| /
// ||dL/ds_T|| with s = c for lstm and h otherwise: what vanishes or explodes.
//   GradientOptions options;  options.run.cell = Cell::kRnn;
//   double half_way = measure_gradients(options, *open_device("cpu"), tell)[0].after[50].median;
#pragma once

#include <functional>
#include <vector>

#include "diagnostics/network.h"

namespace rondo::diagnostics {

enum class Sequences { kNoise, kAdding };

}  // namespace rondo::diagnostics

namespace rondo {

template <>
inline constexpr auto kNames<diagnostics::Sequences> = std::array{
    std::pair{diagnostics::Sequences::kNoise, "noise"}, std::pair{diagnostics::Sequences::kAdding, "adding"}};

}  // namespace rondo

namespace rondo::diagnostics {

struct GradientOptions {
  Options run;
  Sequences problem = Sequences::kNoise;
  int64_t length = 100;
  int64_t inputs = 8;
  int64_t networks = 0;
  int64_t sequences = 20;
  bool at_rest = false;

  template <class Visitor>
  void visit(Visitor& v) {
    run.visit(v);
    v("problem", problem,
      "noise: N(0, 1), at first weights; adding: trained, and measured before and at every evaluation");
    v("length", length, "steps T", Range{2, 100000});
    v("inputs", inputs, "numbers a step of noise", Range{1, 65536});
    v("networks", networks, "that begin from seed, seed + 1, ...; 0: 32 of noise, 1 of adding",
      Range{0, 1e6});
    v("sequences", sequences, "of each network that are measured", Range{1, 1e6});
    v("at-rest", at_rest,
      "noise: no input and no biases but the forget bias, so that the state stays zero, where the cell is "
      "linear");
  }

  /// @throws ConfigError for grids and more than one layer, or an option that has no effect.
  void check() const;
};

/// Half of the numbers lie between lower and upper.
struct Quartiles {
  double lower = 0, median = 0, upper = 0;
};

/// By linear interpolation between the sorted numbers. @param numbers  at least one.
Quartiles quartiles_of(std::vector<double> numbers);

/// Of all networks after the same number of updates.
struct GradientProfile {
  int64_t update = 0;
  std::vector<double> losses;    ///< of each network on the test sequences; of noise none
  std::vector<Quartiles> after;  ///< index k: of the ratios of all sequences of all networks
};

/// [k][sequence]: ||dL/ds_{T-k}|| / ||dL/ds_T||, k = 0 .. T-1, for a loss that looks at the last state alone;
/// a sequence whose loss has no gradient is left out. Leaves no gradients behind.
std::vector<std::vector<double>> gradient_ratios(Network& network, const Batch& batch, Backend& backend);

/// @param tell  hears of each evaluation while networks are trained, with the number of the network.
std::vector<GradientProfile> measure_gradients(const GradientOptions& options, Backend& backend,
                                               const std::function<void(int64_t, const Point&)>& tell);

}  // namespace rondo::diagnostics
