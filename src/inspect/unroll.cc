#include "inspect/unroll.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/errors.h"
#include "kernels/reference/precision.h"
#include "layers/recurrent.h"

namespace rondo {

namespace {

/// Numbers of one step of one direction: a row of a series, or zeros where nothing came before.
class Values {
 public:
  Values() = default;
  Values(const Tensor& values, int64_t row) : row_(values ? values.matrix().row<float>(row) : nullptr) {}
  double operator[](int64_t i) const { return row_ == nullptr ? 0 : row_[i]; }

 private:
  const float* row_ = nullptr;
};

/// One unit of one direction of one layer.
class Unit {
 public:
  /// @param ends  where each of the layer's sequences ends.
  Unit(const LayerTrace& layer, const RecurrentOptions& options, const RecurrentWeights& weights,
       int64_t unit, Precision precision, std::vector<int64_t> ends)
      : layer_(layer),
        kind_(options.kind()),
        w_(weights),
        unit_(unit),
        precision_(precision),
        ends_(std::move(ends)) {
    H_ = w_.w_ih.rows / kind_.blocks();
  }

  UnrolledStep at(int64_t step) {
    const int64_t before = layer_.reverse ? step + 1 : step - 1;
    const bool first = begins(layer_.reverse ? before : step);
    step_ = step;
    x_ = Values(layer_.input, step);
    h_before_ = first ? Values(layer_.h0, 0) : Values(series("h"), before);
    if (kind_.has_cell_state()) c_before_ = first ? Values(layer_.c0, 0) : Values(series("c"), before);
    UnrolledStep result{.step = step};
    if (kind_.cell == Cell::kLstm) lstm(result);
    if (kind_.cell == Cell::kGru) gru(result);
    if (kind_.cell == Cell::kRnn) rnn(result);
    return result;
  }

 private:
  /// Whether no step before this one belongs to its sequence (or it is behind the last).
  bool begins(int64_t step) const { return step == 0 || std::ranges::find(ends_, step) != ends_.end(); }

  using Terms = std::vector<std::pair<std::string, double>>;

  const Tensor& series(const char* name) const { return layer_.find(name).values; }
  double traced(const char* name, int64_t unit) const { return Values(series(name), step_)[unit]; }

  double operand(double value) const {
    const auto narrow = static_cast<float>(value);
    return precision_ == Precision::kBfloat16 ? reference::round_bfloat16(narrow) : narrow;
  }
  /// Row `row` of a weight times what stands at each of its columns.
  template <class At>
  double product(ConstMatrix weight, int64_t row, const At& at) const {
    const float* w = weight.row<float>(row);
    double sum = 0;
    for (int64_t k = 0; k < weight.columns; ++k) sum += operand(w[k]) * operand(at(k));
    return sum;
  }
  double from_input(int64_t row) const {
    return product(w_.w_ih, row, [&](int64_t k) { return x_[k]; });
  }
  double from_state(int64_t row) const {
    return product(w_.w_hh, row, [&](int64_t k) { return h_before_[k]; });
  }
  static double number(ConstMatrix bias, int64_t i) { return bias.row<float>(0)[i]; }

  UnrolledGate gate(const char* name, const char* activation, Terms terms, double sum) const {
    UnrolledGate made{.name = name, .activation = activation, .terms = std::move(terms), .sum = sum};
    const std::string a = activation;
    made.value = a == "s"      ? 1 / (1 + std::exp(-sum))
                 : a == "tanh" ? std::tanh(sum)
                 : a == "relu" ? std::max(sum, 0.0)
                               : sum;
    return made;
  }
  UnrolledGate gate(const char* name, const char* activation, Terms terms) const {
    double sum = 0;
    for (const auto& [term, value] : terms) sum += value;
    return gate(name, activation, std::move(terms), sum);
  }
  /// W x + U h + b of a block.
  Terms plain_terms(int64_t block) const {
    const int64_t row = block * H_ + unit_;
    return {{"W x", from_input(row)},
            {"U h", from_state(row)},
            {"b", number(w_.b_ih, row) + number(w_.b_hh, row)}};
  }

  void add(UnrolledStep& step, UnrolledGate gate) const {
    gate.traced = traced(gate.name.c_str(), unit_);
    step.gates.push_back(std::move(gate));
  }

  void lstm(UnrolledStep& step) const {
    const LstmBlocks at = kind_.lstm();
    const auto peephole = [&](Terms terms, int64_t row, const char* name, double cell) {
      if (kind_.peepholes) terms.emplace_back(name, double{w_.peepholes.row<float>(row)[unit_]} * cell);
      return terms;
    };
    step.c_before = c_before_[unit_];
    step.h_before = w_.w_hr ? 0 : h_before_[unit_];
    // The gate's value; one that is not there is 1.
    const auto add_gate = [&](const char* name, int64_t block, int64_t row, const char* looks_at,
                              double cell) {
      if (block < 0) return 1.0;
      add(step, gate(name, "s", peephole(plain_terms(block), row, looks_at, cell)));
      return step.gates.back().value;
    };
    double i = add_gate("i", at.i, at.p_i, "p*c", step.c_before);
    const double f = add_gate("f", at.f, at.p_f, "p*c", step.c_before);
    if (kind_.coupled) add(step, {.name = "i", .value = i = 1 - f});
    add(step, gate("g", kind_.without == Ablation::kInputTanh ? "" : "tanh", plain_terms(at.g)));
    step.c = f * step.c_before + i * step.gates.back().value;
    step.c_traced = traced("c", unit_);
    step.h = add_gate("o", at.o, at.p_o, "p*c'", step.c) * squashed(step.c);
    if (!w_.w_hr) {
      step.h_traced = traced("h", unit_);
      return;
    }
    step.h_traced = traced_output(unit_);
    step.projects = unit_ < w_.w_hr.rows;
    if (!step.projects) return;
    step.projected = product(w_.w_hr, unit_, [&](int64_t k) { return traced_output(k); });
    step.projected_traced = traced("h", unit_);
  }

  double squashed(double c) const { return kind_.without == Ablation::kOutputTanh ? c : std::tanh(c); }
  /// What a projection multiplies.
  double traced_output(int64_t unit) const {
    return (kind_.lstm().o < 0 ? 1 : traced("o", unit)) * squashed(traced("c", unit));
  }

  void gru(UnrolledStep& step) const {
    const int64_t row = kind_.plain_blocks() * H_ + unit_;
    step.h_before = h_before_[unit_];
    if (!kind_.coupled) add(step, gate("r", "s", plain_terms(0)));
    add(step, gate("z", "s", plain_terms(kind_.plain_blocks() - 1)));
    const double z = step.gates.back().value;
    if (kind_.coupled) add(step, {.name = "r", .value = 1 - z});
    const double r = kind_.coupled ? 1 - z : step.gates.front().value;
    const double input = from_input(row);
    if (kind_.reset_before) {
      const double state = product(w_.w_hh, row, [&](int64_t k) { return traced("r", k) * h_before_[k]; });
      add(step,
          gate("n", "tanh",
               {{"W x", input}, {"U (r*h)", state}, {"b", number(w_.b_ih, row) + number(w_.b_hh, row)}}));
    } else {
      const double state = from_state(row), b_in = number(w_.b_ih, row), b_hn = number(w_.b_hh, row);
      add(step, gate("n", "tanh", {{"W x", input}, {"b_in", b_in}, {"r", r}, {"U h", state}, {"b_hn", b_hn}},
                     input + b_in + r * (state + b_hn)));
    }
    step.h = (1 - z) * step.gates.back().value + z * step.h_before;
    step.h_traced = traced("h", unit_);
  }

  void rnn(UnrolledStep& step) const {
    step.h_before = h_before_[unit_];
    add(step, gate("h", kind_.relu ? "relu" : "tanh", plain_terms(0)));
    step.h = step.gates.back().value;
    step.h_traced = step.gates.back().traced;
  }

  const LayerTrace& layer_;
  CellKind kind_;
  RecurrentWeights w_;
  int64_t unit_, H_;
  Precision precision_;
  std::vector<int64_t> ends_;
  int64_t step_ = 0;
  Values x_, h_before_, c_before_;
};

/// [first, last], from 0.
struct StepRange {
  int64_t first, last;
};

StepRange steps_of(const std::string& text, int64_t steps) {
  if (text.empty()) return {0, steps - 1};
  StepRange range{-1, -1};
  const char *at = text.data(), *end = at + text.size();
  const auto first = std::from_chars(at, end, range.first);
  range.last = range.first;
  bool fits = first.ec == std::errc() && range.first >= 0;
  if (fits && first.ptr != end) {
    const auto last = std::from_chars(first.ptr + 1, end, range.last);
    fits = *first.ptr == '-' && last.ec == std::errc() && last.ptr == end;
  }
  if (!fits) throw_error<ConfigError>("--steps {}: write 2-5, or 3 for one alone", text);
  if (range.first > range.last || range.last >= steps) {
    throw_error<ConfigError>("--steps {}: the text has {} steps, 0 to {}", text, steps, steps - 1);
  }
  return range;
}

const LayerTrace& layer_of(const TextTrace& trace, const std::string& part, const UnitOptions& options) {
  int64_t layers = 0;
  for (const LayerTrace& layer : trace.layers) {
    if (layer.part != part) continue;
    layers = std::max(layers, layer.layer + 1);
    if (layer.layer == options.layer && layer.reverse == options.reverse) return layer;
  }
  if (options.layer >= layers) {
    throw_error<ConfigError>("--layer {}: there are {} layers, 0 to {}", options.layer, layers, layers - 1);
  }
  throw_error<ConfigError>("--reverse: this model reads in one direction");
}

std::string token_of(const TextTrace& trace, const std::string& part, int64_t step) {
  const auto t = static_cast<size_t>(step);
  if (part == "characters") return trace.characters[t];
  if (part != "decoder") return trace.tokens[t];
  return t == 0 ? Vocabulary::kEndToken : trace.target_tokens[t - 1];
}

double difference(double a, double b) { return std::abs(a - b) / std::max(1.0, std::abs(b)); }

double largest_difference(const UnrolledStep& step) {
  double largest = std::max({difference(step.c, step.c_traced), difference(step.h, step.h_traced),
                             difference(step.projected, step.projected_traced)});
  for (const UnrolledGate& gate : step.gates)
    largest = std::max(largest, difference(gate.value, gate.traced));
  return largest;
}

void check(const TextTrace& trace, const RecurrentOptions& options) {
  if (options.is_grid()) {
    throw_error<ConfigError>(
        "unroll: a block of a grid has a cell of its own in each dimension; its traces are in rondo look");
  }
  if (trace.precision == name_of(Precision::kInt8)) {
    throw_error<ConfigError>(
        "unroll: products in int8 round both operands to whole numbers; unroll in --precision f32 or bf16");
  }
}

}  // namespace

Unrolled unroll(const Tracer& tracer, const TextTrace& trace, const UnitOptions& options) {
  const std::string part = options.part.empty() && trace.kind == "translator" ? "encoder" : options.part;
  const RecurrentStack& stack = tracer.stack(part);
  check(trace, stack.options());
  const LayerTrace& layer = layer_of(trace, part, options);
  const RecurrentWeights weights =
      stack.weights(options.layer * stack.options().directions() + (options.reverse ? 1 : 0));
  Unrolled result{.model = trace.model,
                  .kind = trace.kind,
                  .cell = name_of(stack.options().cell),
                  .precision = trace.precision,
                  .part = part,
                  .layer = options.layer,
                  .unit = options.unit,
                  .units = stack.options().hidden_of(options.layer),
                  .inputs = weights.w_ih.columns,
                  .states = weights.w_hh.columns,
                  .reverse = options.reverse,
                  .cell_kind = stack.options().kind(),
                  .has_projection = static_cast<bool>(weights.w_hr)};
  if (options.unit < 0 || options.unit >= result.units) {
    throw_error<ConfigError>("--unit {}: layer {} has {} units, 0 to {}", options.unit, options.layer,
                             result.units, result.units - 1);
  }
  const int64_t steps = layer.input.dim(0);
  const StepRange range = steps_of(options.steps, steps);
  const Precision precision = trace.precision == "bf16" ? Precision::kBfloat16 : Precision::kFloat32;
  // Each word of a tagger is a sequence of characters.
  const std::vector<int64_t> ends = part == "characters" ? trace.character_ends : std::vector{steps};
  Unit unit(layer, stack.options(), weights, options.unit, precision, ends);
  for (int64_t t = range.first; t <= range.last; ++t) {
    result.steps.push_back(unit.at(options.reverse ? range.first + range.last - t : t));
    UnrolledStep& step = result.steps.back();
    step.token = token_of(trace, part, step.step);
    result.largest_difference = std::max(result.largest_difference, largest_difference(step));
  }
  return result;
}

}  // namespace rondo
