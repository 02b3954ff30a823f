#include "training/optimizer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "base/errors.h"
#include "training/clipping.h"

namespace rondo {
namespace {

// Rows of a table that one task of the pool steps: about 10 us of work.
constexpr int64_t kRowsPerTask = 128;
// Rows that one task brings up to date, and missed steps of all rows together that are worth several threads:
// about 20 us of them.
constexpr int64_t kRowsPerCatchUp = 8;
constexpr int64_t kStepsWorthSharing = 1024;

/// Names of the moments as torch.optim's state has them; "" where the rule keeps none.
std::pair<const char*, const char*> moment_names(const OptimizerOptions& options) {
  switch (options.optimizer) {
    case OptimizerRule::kSgd:
      return {options.momentum > 0 ? "momentum_buffer" : "", ""};
    case OptimizerRule::kAdam:
    case OptimizerRule::kAdamW:
      return {"exp_avg", "exp_avg_sq"};
    case OptimizerRule::kRmsprop:
      return {"", "square_avg"};
    case OptimizerRule::kAdagrad:
      return {"", "sum"};
  }
  return {"", ""};
}

/// Whether a step without a gradient changes anything: a moment decays or a parameter moves on.
bool moves_without_gradient(const OptimizerOptions& options) {
  if (options.optimizer == OptimizerRule::kSgd) return options.momentum > 0;
  return options.optimizer != OptimizerRule::kAdagrad;
}

bool couples_weight_decay(const OptimizerOptions& options) {
  return options.weight_decay > 0 && options.optimizer != OptimizerRule::kAdamW;
}

int64_t row_bytes(const Matrix& m) { return m.columns * size_of(m.type); }

char* row_at(const Matrix& m, int64_t row) {
  return static_cast<char*>(m.data) + row * m.stride * size_of(m.type);
}

Tensor gather(const Matrix& table, std::span<const int32_t> rows) {
  Tensor copy({static_cast<int64_t>(rows.size()), table.columns}, table.type);
  char* to = static_cast<char*>(copy.raw());
  for (size_t i = 0; i < rows.size(); ++i, to += row_bytes(table)) {
    std::memcpy(to, row_at(table, rows[i]), row_bytes(table));
  }
  return copy;
}

void put_back(const Matrix& copy, std::span<const int32_t> rows, const Matrix& table) {
  if (!table) return;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(row_at(table, rows[i]), row_at(copy, static_cast<int64_t>(i)), row_bytes(table));
  }
}

/// By bits: a negative zero is none.
bool is_zero_row(const Tensor& table, int64_t row) {
  if (!table) return true;
  const int64_t columns = table.matrix().columns;
  const float* numbers = table.data<float>() + row * columns;
  return std::all_of(numbers, numbers + columns, [](float x) { return std::bit_cast<uint32_t>(x) == 0; });
}

Tensor zeros_like(const Tensor& value, const char* name) {
  return *name ? Tensor::zeros(value.shape()) : Tensor();
}

void copy_into(const Tensor& from, const std::string& name, const Tensor& to) {
  if (from.type() != DType::kFloat32 || from.shape() != to.shape()) {
    throw_error<FormatError>("optimizer state {}: wanted float32 {}, got {}{}", name, to_string(to.shape()),
                             from.type() == DType::kFloat32 ? "" : "another type ", to_string(from.shape()));
  }
  if (to.bytes() > 0) std::memcpy(to.raw(), from.raw(), to.bytes());
}

using TensorsByName = std::unordered_map<std::string, Tensor>;

constexpr const char* kFrozenSteps = ".frozen_steps";

/// Takes a parameter's count out of a checkpoint's tensors; 0 where there is none.
int64_t take_frozen_steps(TensorsByName& tensors, const std::string& name, int64_t steps) {
  const auto node = tensors.extract(name + kFrozenSteps);
  if (!node) return 0;
  const Tensor& count = node.mapped();
  const bool fits = count.type() == DType::kInt32 && count.size() == 1;
  if (!fits || count.data<int32_t>()[0] < 1 || count.data<int32_t>()[0] > steps) {
    throw_error<FormatError>("optimizer state {}{}: wanted one int32 from 1 to {}", name, kFrozenSteps,
                             steps);
  }
  return count.data<int32_t>()[0];
}

}  // namespace

void OptimizerOptions::check() const {
  using Rule = OptimizerRule;
  const OptimizerOptions defaults;
  const bool adam = optimizer == Rule::kAdam || optimizer == Rule::kAdamW;
  const auto refuse = [&](bool has_effect, double value, double initial, const char* name) {
    if (has_effect || value == initial) return;
    throw_error<ConfigError>("--{} {} has no effect with --optimizer {}; leave it out", name, value,
                             name_of(optimizer));
  };
  refuse(optimizer == Rule::kSgd, momentum, defaults.momentum, "momentum");
  refuse(adam, beta1, defaults.beta1, "beta1");
  refuse(adam, beta2, defaults.beta2, "beta2");
  refuse(optimizer == Rule::kRmsprop, alpha, defaults.alpha, "alpha");
  refuse(optimizer != Rule::kSgd, epsilon, defaults.epsilon, "epsilon");
}

Optimizer::Optimizer(Backend& backend, ParameterSet& parameters, OptimizerOptions options, Profile* profile)
    : backend_(backend), parameters_(parameters), options_(options), profile_(profile) {
  options_.check();
  const auto [first, second] = moment_names(options_);
  for (Parameter& parameter : parameters.all()) {
    if (!parameter.trainable) continue;
    Slot& slot = slots_.emplace_back();
    slot.parameter = &parameter;
    slot.first = zeros_like(parameter.value, first);
    slot.second = zeros_like(parameter.value, second);
    if (!parameter.sparse) continue;
    if (moves_without_gradient(options_) && !couples_weight_decay(options_)) {
      slot.done.resize(static_cast<size_t>(parameter.value.matrix().rows), 0);
      has_lazy_ = true;
      const size_t index = slots_.size() - 1;
      parameter.before_read = [this, index](std::span<const int32_t> rows) { catch_up(slots_[index], rows); };
    }
  }
}

Optimizer::~Optimizer() {
  for (Slot& slot : slots_) {
    if (slot.lazy()) slot.parameter->before_read = nullptr;
  }
}

OptimizerStep Optimizer::settings(double rate, double scale) const {
  OptimizerStep step;
  step.rule = options_.optimizer;
  step.rate = rate;
  step.momentum = options_.momentum;
  step.beta1 = options_.beta1;
  step.beta2 = options_.beta2;
  step.alpha = options_.alpha;
  step.epsilon = options_.epsilon;
  step.weight_decay = options_.weight_decay;
  step.scale = scale;
  step.step = steps_;
  return step;
}

OptimizerStep Optimizer::make_step(const Slot& slot, double rate, double scale) const {
  OptimizerStep step = settings(rate * slot.parameter->rate, scale);
  step.step -= slot.frozen_steps;
  step.parameter = slot.parameter->value.matrix();
  step.first = slot.first.matrix();
  step.second = slot.second.matrix();
  return step;
}

Optimizer::StepReport Optimizer::step(double rate) {
  const Profile::Scope timed(profile_, Profile::Section::kOptimizer);
  StepReport report{.gradient_norm = gradient_norm(backend_, parameters_)};
  report.finite = std::isfinite(report.gradient_norm);
  if (!report.finite) return report;
  const double scale = clip_scale(report.gradient_norm, options_.clip);
  report.clipped = scale < 1;
  for (Slot& slot : slots_) {
    if (slot.lazy() && steps_densely(slot)) {
      catch_up(slot);
    } else {
      catch_up(slot, slot.parameter->row_gradient.rows);
    }
  }
  ++steps_;
  if (has_lazy_) remember(settings(rate, scale));
  for (Slot& slot : slots_) step_slot(slot, rate, scale);
  return report;
}

// The missed steps of a lazy table are those of rate 1, counted from the first step of the run.
bool Optimizer::steps_densely(const Slot& slot) const {
  return couples_weight_decay(options_) ||
         (slot.lazy() && (slot.parameter->rate != 1 || slot.frozen_steps > 0));
}

void Optimizer::step_slot(Slot& slot, double rate, double scale) {
  if (slot.parameter->rate == 0) {
    ++slot.frozen_steps;
    std::fill(slot.done.begin(), slot.done.end(), steps_);
  } else if (slot.parameter->sparse) {
    step_table(slot, rate, scale);
  } else if (slot.parameter->gradient) {
    OptimizerStep step = make_step(slot, rate, scale);
    step.gradient = slot.parameter->gradient.matrix();
    backend_.optimize(step);
  }
}

void Optimizer::remember(const OptimizerStep& step) {
  const PastStep now{step.rate, numbers_of(step)};
  if (past_.empty() || !shrinks(past_.back().numbers, now.numbers)) shrinking_from_ = steps_;
  past_.push_back(now);
}

void Optimizer::step_table(Slot& slot, double rate, double scale) {
  const OptimizerStep step = make_step(slot, rate, scale);
  if (steps_densely(slot)) return step_densely(slot, step);
  step_rows(slot, step);
}

void Optimizer::step_densely(Slot& slot, const OptimizerStep& table) {
  const RowGradient& gradient = slot.parameter->row_gradient;
  if (!slot.dense_gradient) slot.dense_gradient = Tensor::zeros(slot.parameter->value.shape());
  const Matrix dense = slot.dense_gradient.matrix();
  if (gradient.values) backend_.scatter_add_rows(gradient.values.matrix(), gradient.rows, dense);
  OptimizerStep step = table;
  step.gradient = dense;
  backend_.optimize(step);
  for (int32_t row : gradient.rows) backend_.fill(dense.rows_at(row, 1), 0);
  std::fill(slot.done.begin(), slot.done.end(), steps_);
}

// Rows are put side by side, stepped by one call and put back: a call a row would work out the numbers of the
// step anew for each.
void Optimizer::step_rows(Slot& slot, const OptimizerStep& table) {
  const RowGradient& gradient = slot.parameter->row_gradient;
  const auto step_some = [&](int64_t begin, int64_t end) {
    const std::span rows(gradient.rows.data() + begin, static_cast<size_t>(end - begin));
    OptimizerStep step = table;
    step.gradient = gradient.values.matrix().rows_at(begin, end - begin);
    Tensor copies[3];
    Matrix* const matrices[] = {&step.parameter, &step.first, &step.second};
    for (int i = 0; i < 3; ++i) {
      if (*matrices[i]) *matrices[i] = (copies[i] = gather(*matrices[i], rows)).matrix();
    }
    backend_.optimize(step);
    put_back(step.parameter, rows, table.parameter);
    put_back(step.first, rows, table.first);
    put_back(step.second, rows, table.second);
    if (!slot.lazy()) return;
    for (const int32_t row : rows) slot.done[row] = steps_;
  };
  backend_.threads().split(static_cast<int64_t>(gradient.rows.size()), kRowsPerTask, step_some);
}

void Optimizer::catch_up(Slot& slot, std::span<const int32_t> rows) {
  if (!slot.lazy()) return;
  const Profile::Scope timed(profile_, Profile::Section::kOptimizer);
  const bool rests = options_.optimizer != OptimizerRule::kAdamW || options_.weight_decay == 0;
  late_rows_.clear();
  late_done_.clear();
  for (int32_t row : rows) {
    const int64_t done = std::exchange(slot.done[row], steps_);
    // A row that never had a gradient, most of a large table for long, has nothing to make up for.
    if (done == steps_ || (rests && is_zero_row(slot.first, row) && is_zero_row(slot.second, row))) continue;
    late_rows_.push_back(row);
    late_done_.push_back(done);
  }
  if (late_rows_.empty()) return;
  const OptimizerCatchUp missed{.table = make_step(slot, 0, 1),
                                .rows = late_rows_,
                                .done = late_done_,
                                .past = past_,
                                .shrinking_from = shrinking_from_};
  int64_t steps = 0;
  for (const int64_t done : late_done_) steps += steps_ - done;
  if (steps < kStepsWorthSharing) return backend_.catch_up(missed);
  // The rarer a word, the higher its row and the more it missed: halves of the rows would be no halves of the
  // work. So threads take a few rows at a time, the rarest first.
  const auto count = static_cast<int64_t>(late_rows_.size());
  const int64_t tasks = (count + kRowsPerCatchUp - 1) / kRowsPerCatchUp;
  backend_.threads().run(tasks, [&](int64_t task) {
    const auto first = static_cast<size_t>((tasks - 1 - task) * kRowsPerCatchUp);
    const size_t some = std::min<size_t>(kRowsPerCatchUp, late_rows_.size() - first);
    OptimizerCatchUp part = missed;
    part.rows = missed.rows.subspan(first, some);
    part.done = missed.done.subspan(first, some);
    backend_.catch_up(part);
  });
}

void Optimizer::catch_up(Slot& slot) {
  std::vector<int32_t> rows(slot.done.size());
  std::iota(rows.begin(), rows.end(), 0);
  catch_up(slot, rows);
}

void Optimizer::settle() {
  for (Slot& slot : slots_) catch_up(slot);
  past_.clear();
}

std::vector<std::pair<std::string, Tensor>> Optimizer::tensors() {
  settle();
  auto result = moments();
  for (const Slot& slot : slots_) {
    if (slot.frozen_steps == 0) continue;
    Tensor count({1}, DType::kInt32);
    count.data<int32_t>()[0] = static_cast<int32_t>(slot.frozen_steps);
    result.emplace_back(slot.parameter->name + kFrozenSteps, count);
  }
  return result;
}

std::vector<std::pair<std::string, Tensor>> Optimizer::moments() const {
  const auto [first, second] = moment_names(options_);
  std::vector<std::pair<std::string, Tensor>> result;
  for (const Slot& slot : slots_) {
    if (slot.first) result.emplace_back(slot.parameter->name + "." + first, slot.first);
    if (slot.second) result.emplace_back(slot.parameter->name + "." + second, slot.second);
  }
  return result;
}

void Optimizer::restore(const std::vector<std::pair<std::string, Tensor>>& tensors, int64_t steps) {
  if (steps < 0) throw_error<FormatError>("optimizer state: {} steps", steps);
  TensorsByName given(tensors.begin(), tensors.end());
  settle();
  for (Slot& slot : slots_) slot.frozen_steps = take_frozen_steps(given, slot.parameter->name, steps);
  const auto own = moments();
  for (const auto& [name, tensor] : own) {
    const auto found = given.find(name);
    if (found == given.end()) throw_error<FormatError>("optimizer state {} is missing", name);
    copy_into(found->second, name, tensor);
    given.erase(found);
  }
  if (!given.empty()) throw_error<FormatError>("optimizer state {} fits no parameter", given.begin()->first);
  steps_ = steps;
  for (Slot& slot : slots_) std::fill(slot.done.begin(), slot.done.end(), steps_);
}

}  // namespace rondo
