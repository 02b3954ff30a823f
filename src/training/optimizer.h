// Changes parameters by their gradients: SGD, Adam, AdamW, RMSprop, Adagrad, with torch.optim's formulas.
//   Optimizer optimizer(backend, parameters, {.lr = 1e-3});  tape.backward(loss);  optimizer.step(1e-3);
// A table whose gradient comes by rows costs by rows, and ends with the same bits as a dense optimiser.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/options.h"
#include "base/profile.h"
#include "kernels/backend.h"
#include "tensor/parameter.h"

namespace rondo {

using OptimizerRule = OptimizerStep::Rule;

template <>
inline constexpr auto kNames<OptimizerRule> =
    std::array{std::pair{OptimizerRule::kAdam, "adam"}, std::pair{OptimizerRule::kAdamW, "adamw"},
               std::pair{OptimizerRule::kSgd, "sgd"}, std::pair{OptimizerRule::kRmsprop, "rmsprop"},
               std::pair{OptimizerRule::kAdagrad, "adagrad"}};

struct OptimizerOptions {
  OptimizerRule optimizer = OptimizerRule::kAdam;
  double lr = 1e-3;
  double momentum = 0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double alpha = 0.99;
  double epsilon = 1e-8;
  double weight_decay = 0;
  double clip = 1;

  template <class Visitor>
  void visit(Visitor& v) {
    v("optimizer", optimizer, "rule by which gradients change the parameters");
    v("lr", lr, "learning rate", Range{0, 1e6});
    v("momentum", momentum, "share of the last update that is kept (sgd)", Range{0, kBelowOne});
    v("beta1", beta1, "decay of the mean of gradients (adam, adamw)", Range{0, kBelowOne});
    v("beta2", beta2, "decay of the mean of squared gradients (adam, adamw)", Range{0, kBelowOne});
    v("alpha", alpha, "decay of the mean of squared gradients (rmsprop)", Range{0, kBelowOne});
    // Not 0: an element whose gradients were all zero would become 0 / 0.
    v("epsilon", epsilon, "added to the denominator (all but sgd)", Range{1e-20, 1});
    v("weight-decay", weight_decay, "pull towards zero; decoupled for adamw, added to the gradient else",
      Range{0, 1});
    v("clip", clip, "norm of all gradients together above which they are scaled down; 0: never",
      Range{0, 1e30});
  }

  /// @throws ConfigError for an option that has no effect with this rule, such as momentum with adam.
  void check() const;

 private:
  static constexpr double kBelowOne = 0.9999999;
};

/// Owns the moments of a set's parameters and steps them.
///
/// Sparse parameters (Parameter::sparse): moments move untouched rows too, so a step that skips them would
/// change the result. Here a row may stay behind; its missed steps are replayed, bit for bit, when it is next
/// read (Parameter::before_read), stepped, or at settle(). With L2 weight decay (weight_decay and not adamw)
/// every row moves with its own value, and the table is stepped densely; so is a table whose Parameter::rate
/// is not 1, or was 0 for a while.
///
/// A parameter whose rate is 0 stays as it is, with its moments, and the steps it sits out do not count among
/// its own (Adam's correction of young moments), as for torch's parameters without a gradient.
class Optimizer {
 public:
  /// What one step did.
  struct StepReport {
    double gradient_norm = 0;  ///< before clipping
    bool clipped = false;
    bool finite = true;  ///< false: the norm was infinite or NaN, nothing changed, the step is not counted
  };

  /// Hooks itself into the sparse parameters; set and backend must outlive it, the set must not grow.
  /// @throws ConfigError as OptimizerOptions::check.
  Optimizer(Backend& backend, ParameterSet& parameters, OptimizerOptions options, Profile* profile = nullptr);
  ~Optimizer();
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Clips and applies the gradients that stand in the parameters, with learning rate `rate` times
  /// Parameter::rate. A trainable parameter without a gradient is left as it is, as torch does with None.
  /// Gradients stay.
  StepReport step(double rate);

  /// Brings every row up to date: before evaluation and saving. Later results do not depend on it.
  void settle();

  /// The state for a checkpoint, settled: "NAME.exp_avg" and so on, torch.optim's words; "NAME.frozen_steps"
  /// (int32) of those that were frozen for a while.
  std::vector<std::pair<std::string, Tensor>> tensors();
  /// @throws FormatError if a tensor is missing, unknown or of another shape.
  void restore(const std::vector<std::pair<std::string, Tensor>>& tensors, int64_t steps);
  /// Updates so far.
  int64_t steps() const { return steps_; }
  const OptimizerOptions& options() const { return options_; }

 private:
  struct Slot {
    Parameter* parameter = nullptr;
    Tensor first, second;       ///< moments; empty where the rule has none
    std::vector<int64_t> done;  ///< of a lazy table: the last step that each row has seen
    Tensor dense_gradient;      ///< of a sparse table that is stepped densely: zeros between steps
    int64_t frozen_steps = 0;   ///< that it sat out
    bool lazy() const { return !done.empty(); }
  };

  OptimizerStep settings(double rate, double scale) const;
  OptimizerStep make_step(const Slot& slot, double rate, double scale) const;
  bool steps_densely(const Slot& slot) const;
  std::vector<std::pair<std::string, Tensor>> moments() const;
  void remember(const OptimizerStep& step);
  void step_slot(Slot& slot, double rate, double scale);
  void step_table(Slot& slot, double rate, double scale);
  void step_densely(Slot& slot, const OptimizerStep& step);
  void step_rows(Slot& slot, const OptimizerStep& table);
  void catch_up(Slot& slot, std::span<const int32_t> rows);
  void catch_up(Slot& slot);

  Backend& backend_;
  ParameterSet& parameters_;
  OptimizerOptions options_;
  Profile* profile_;
  std::vector<Slot> slots_;
  int64_t steps_ = 0;
  bool has_lazy_ = false;
  std::vector<PastStep> past_;  ///< steps that a row may have missed; the last is step steps_
  int64_t shrinking_from_ = 1;  ///< see OptimizerCatchUp
  std::vector<int32_t> late_rows_;
  std::vector<int64_t> late_done_;
};

}  // namespace rondo
