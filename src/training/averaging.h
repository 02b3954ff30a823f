// The average of the parameters over the updates: what is evaluated and saved, while the parameters
// themselves go on being trained.
//   Averaging averaging(backend, parameters, {.averaging = AveragingKind::kNt});
//   averaging.update();                               // after each update
//   { const Averaging::Scope shown(averaging);  evaluate(); }
//   averaging.report(dev_loss);                       // after each evaluation
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "base/options.h"
#include "kernels/backend.h"
#include "storage/safetensors.h"
#include "tensor/parameter.h"

namespace rondo {

enum class AveragingKind { kNone, kNt, kAlways };

template <>
inline constexpr auto kNames<AveragingKind> =
    std::array{std::pair{AveragingKind::kNone, "none"}, std::pair{AveragingKind::kNt, "nt"},
               std::pair{AveragingKind::kAlways, "always"}};

struct AveragingOptions {
  AveragingKind averaging = AveragingKind::kNone;
  int64_t averaging_patience = 5;

  template <class Visitor>
  void visit(Visitor& v) {
    v("averaging", averaging,
      "what is evaluated and saved is the average of the parameters over the updates: always, or (nt) from "
      "the "
      "evaluation on whose dev loss is no longer the best; patience counts from there");
    v("averaging-patience", averaging_patience,
      "last evaluations that nt does not compare with: it waits for a dev loss above the smallest before "
      "them",
      Range{0, 1e6});
  }

  /// @throws ConfigError for a patience that has no effect.
  void check() const;
};

/// mu += (x - mu) / n after the n-th update since it began, over every trainable parameter.
/// `nt` begins after the first evaluation whose dev loss is above the smallest of all evaluations before it
/// but the last `averaging_patience` (Merity, Keskar & Socher 2017, algorithm 1: non-monotonically triggered;
/// with torch's ASGD of t0 = 0 and lambda = 0 in their code).
/// Source: Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging".
/// Cost: memory of the parameters once more, 3 operations a number and update.
class Averaging {
 public:
  /// Set and backend must outlive it, the set must not grow.
  /// @throws ConfigError as AveragingOptions::check.
  Averaging(Backend& backend, ParameterSet& parameters, const AveragingOptions& options);

  /// Whether updates are averaged now.
  bool active() const { return active_; }
  /// Whether early stopping must wait: averaging is still to begin.
  bool awaited() const { return options_.averaging == AveragingKind::kNt && !active_; }

  /// Takes the parameters, which must be settled, as they are after an update; nothing if not active.
  void update();
  /// Takes the dev loss of an evaluation. @return whether averaging begins with the next update.
  bool report(double dev_loss);

  /// For its lifetime the parameters hold their averages, where there are any.
  class Scope {
   public:
    explicit Scope(Averaging& averaging) : averaging_(averaging) { averaging_.swap(); }
    ~Scope() { averaging_.swap(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Averaging& averaging_;
  };

  /// The averages by the names of their parameters, for a checkpoint.
  NamedTensors tensors() const;
  nlohmann::json to_json() const;
  /// @throws FormatError if they do not fit the parameters.
  void restore(const nlohmann::json& state, const NamedTensors& tensors);

 private:
  void swap();

  Backend& backend_;
  ParameterSet& parameters_;
  AveragingOptions options_;
  bool active_ = false;
  int64_t updates_ = 0;         ///< averaged
  std::vector<double> losses_;  ///< of the evaluations that count, in their order
  NamedTensors averages_;       ///< empty before the first update
};

}  // namespace rondo
