#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "kernels/cpu/recurrent_passes.h"
#include "kernels/cpu/recurrent_weights.h"

namespace rondo {

namespace {

/// The state of a shard's sequences between two steps.
struct States {
  Rows h;        ///< [N, P] times the mask: what the next step multiplies
  Rows h_next;   ///< the same after this step
  Rows h_plain;  ///< [N, P], gru
  Rows c;        ///< [N, H], lstm
  Rows output;   ///< [N, H] o*tanh(c'), with a projection
  Rows reset;    ///< [N, H] r*h, gru with reset before

  States swapped() const {
    States other = *this;
    std::swap(other.h, other.h_next);
    return other;
  }
};

/// Steps of the recurrence, whose pre-activations are made together: they are read again before they leave
/// the third cache. (128 sequences of 128 steps would take 64 MiB at 256 units of an lstm.)
struct Steps {
  int64_t first = 0, end = 0;
};

/// One direction: for each Steps enter_input(), then run() for each shard, in any order and at the same time.
class ForwardDirection {
 public:
  /// @param frame  for what lives as long as this does.
  ForwardDirection(ThreadPool& pool, const RecurrentForward& pass, const RecurrentDirection& direction,
                   const ForwardWeights& weights, ScratchFrame& frame)
      : kind_(pass.kind),
        precision_(pass.precision),
        rows_(pass.rows),
        d_(direction),
        w_(weights),
        x_(rows_of(pass.x)),
        x_rows_(pass.x_rows),
        table_(weights.table),
        lstm_(kind_, d_.weights.peepholes),
        H_(weights.H),
        P_(weights.P) {
    if (x_rows_.empty() || !pass.x) return;
    const Rows distinct{frame.take(pass.x.rows * columns()), columns()};
    multiply_input(pool, w_, x_, pass.x.rows, distinct);
    table_ = distinct;
  }

  int64_t steps() const { return rows_.steps(); }
  /// How many steps go together where so many directions do.
  int64_t steps_together(int64_t directions) const {
    constexpr int64_t kBytes = 4 << 20;
    constexpr int64_t kFewestRows = 256;  // with fewer the input's weights are read for too little work
    const int64_t count = std::max<int64_t>(rows_.steps() > 0 ? rows_.count(0) : 0, 1);
    const int64_t step = count * columns() * static_cast<int64_t>(sizeof(float)) * directions;
    return std::max({kBytes / step, kFewestRows / count, int64_t{1}});
  }

  /// Pre-activations W x + b of all rows of these steps: multiplied, or copied from the rows that repeat.
  void enter_input(ThreadPool& pool, Steps part) const {
    const int64_t T = rows_.steps();
    const int64_t begin = rows_.offsets[d_.reverse ? T - part.end : part.first];
    const int64_t end = rows_.offsets[d_.reverse ? T - part.first : part.end];
    const Rows gates = rows_of(d_.gates);
    if (x_rows_.empty()) return multiply_input(pool, w_, x_.from(begin), end - begin, gates.from(begin));
    const auto copy = [&](int64_t first, int64_t last) {
      for (int64_t r = begin + first; r < begin + last; ++r) {
        std::memcpy(gates.from(r).at, table_.from(x_rows_[r]).at, columns() * sizeof(float));
      }
    };
    const int64_t grain = 1 + (1 << 17) / columns();
    if (end - begin < 2 * grain) return copy(0, end - begin);  // streams allocate no std::function
    pool.split(end - begin, grain, copy);
  }

  /// These steps, the caller alone.
  void run(const Shard& shard, const States& states, Steps part) const {
    for (int64_t i = part.first; i < part.end; ++i) step(states, i, shard, {0, w_.state.unit_groups()});
  }

  /// The same as one member of a team that shares the units of each step.
  void run(const Shard& shard, const States& states, Steps part, StepTeam& team, int64_t member) const {
    const int64_t groups = w_.state.unit_groups();
    team.run(member, part.end - part.first, [&](int64_t i, int64_t share) {
      step(states, part.first + i, shard,
           {share * groups / team.members(), (share + 1) * groups / team.members()});
    });
  }

  /// The states of a shard before its first step, in the frame.
  States begin(const Shard& shard, ScratchFrame& frame) const {
    const States states = make_states(frame);
    shard.each(0, rows_.sequences, [&](int64_t n, int64_t count) { enter(states, n, count); });
    return states;
  }
  void finish(const Shard& shard, const States& states) const {
    shard.each(0, rows_.sequences, [&](int64_t n, int64_t count) { finish(states, n, count); });
  }

 private:
  CellKind kind_;
  Precision precision_;
  PackedRows rows_;
  const RecurrentDirection& d_;
  const ForwardWeights& w_;
  ConstRows x_;
  std::span<const int32_t> x_rows_;
  ConstRows table_;  ///< pre-activations of the rows that x_rows_ chooses from
  LstmParts lstm_;   ///< from the first unit on
  int64_t H_, P_;

  int64_t columns() const { return w_.S * w_.H; }

  bool resets_before() const { return kind_.cell == Cell::kGru && kind_.reset_before; }
  bool projected() const { return bool(d_.weights.w_hr); }
  /// States that tanh keeps between -1 and 1, though a dropout mask may enlarge them.
  bool bounded() const { return !projected() && kind_.bounded() && !d_.state_mask; }

  States make_states(ScratchFrame& frame) const {
    const int64_t N = rows_.sequences;
    auto make = [&](bool wanted, int64_t columns) {
      return wanted ? Rows{frame.take(N * padded_row(columns)), padded_row(columns)} : Rows{};
    };
    return {.h = make(true, P_),
            .h_next = make(true, P_),
            .h_plain = make(kind_.cell == Cell::kGru, P_),
            .c = make(kind_.has_cell_state(), H_),
            .output = make(projected(), H_),
            .reset = make(resets_before(), H_)};
  }

  void enter(const States& states, int64_t first, int64_t count) const {
    for (int64_t n = first; n < first + count; ++n) {
      float* h = states.h.from(n).at;
      copy_row(rows_of(d_.h0), n, h, P_);
      if (states.h_plain.at != nullptr) std::memcpy(states.h_plain.from(n).at, h, P_ * sizeof(float));
      if (states.c.at != nullptr) copy_row(rows_of(d_.c0), n, states.c.from(n).at, H_);
      mask_row(h, rows_of(d_.state_mask), n, h, P_);
      // A sequence may begin at any step of the reverse direction, so at either of the two.
      std::memcpy(states.h_next.from(n).at, h, P_ * sizeof(float));
    }
  }

  CellForward cell_at(const States& states, int64_t t, int64_t n, int64_t count) const {
    const int64_t row = rows_.row(t, n);
    CellForward cell{.rows = count, .units = H_, .block = H_};
    cell.gates = rows_of(d_.gates).from(row);
    cell.c = states.c.from(n);
    cell.cells = rows_of(d_.cells).from(row);
    cell.h = projected() ? states.output.from(n) : rows_of(d_.y).from(row);
    if (!projected()) cell.h_next = states.h_next.from(n);
    cell.h_plain = states.h_plain.from(n);
    cell.h_masked = states.h.from(n);
    cell.reset = states.reset.from(n);
    cell.mask = rows_of(d_.state_mask).from(n);
    cell.lstm = lstm_;
    return cell;
  }

  using Kernel = void (*)(const CellForward&);
  Kernel kernel() const {
    const CellKernels& kernels = cell_kernels();
    switch (kind_.cell) {
      case Cell::kRnn:
        return kind_.linear ? kernels.rnn_linear : kind_.relu ? kernels.rnn_relu : kernels.rnn_tanh;
      case Cell::kLstm:
        return kernels.lstm[form_of(kind_).index()];
      default:
        return (kind_.reset_before ? kernels.gru_reset : kernels.gru)[kind_.coupled];
    }
  }

  /// Gates += a * weights, then the cell, group by group of units while the gates are in the first cache.
  void multiply_and_apply(const PackedWeights& weights, ConstRows a, const CellForward& cell, Kernel apply,
                          Units units) const {
    ScratchFrame frame;
    const Operand operand = make_operand(precision_, frame, a, cell.rows, P_, bounded());
    constexpr int64_t kFewRows = 6;  // then the gates of all units fit, and more panels go together
    const int64_t together = cell.rows <= kFewRows ? units.end - units.first : 1;
    for (int64_t group = units.first; group < units.end; group += together) {
      const int64_t unit = weights.first_unit(group);
      weights.multiply(operand, cell.gates, cell.rows,
                       {.first_group = group, .groups = together, .accumulate = true});
      CellForward part = cell.from(0, unit);
      part.units = weights.first_unit(group + together) - unit;
      apply(part);
    }
  }

  /// Step i of the recurrence, for some units. The states before and after it change places with every step.
  void step(const States& begun, int64_t i, const Shard& shard, Units units) const {
    const States states = i % 2 == 0 ? begun : begun.swapped();
    const int64_t t = d_.reverse ? rows_.steps() - 1 - i : i;
    const Kernel apply = kernel();
    shard.each(0, rows_.count(t), [&](int64_t n, int64_t count) {
      const CellForward cell = cell_at(states, t, n, count);
      multiply_and_apply(w_.state, states.h.from(n), cell, apply, units);
      if (resets_before()) {
        const Kernel state = cell_kernels().gru_state[kind_.coupled];
        multiply_and_apply(w_.candidate, states.reset.from(n), cell, state, units);
      }
      if (projected()) project(states, t, n, count);
    });
  }

  void project(const States& states, int64_t t, int64_t first, int64_t count) const {
    ScratchFrame frame;
    const Rows y = rows_of(d_.y).from(rows_.row(t, first));
    const Operand output =
        make_operand(precision_, frame, states.output.from(first), count, H_, kind_.bounded());
    w_.project.multiply(output, y, count, {});
    for (int64_t i = 0; i < count; ++i) {
      mask_row(y.from(i).at, rows_of(d_.state_mask), first + i, states.h_next.from(first + i).at, P_);
    }
  }

  void finish(const States& states, int64_t first, int64_t count) const {
    int64_t last = rows_.steps() - 1;
    for (int64_t n = first; n < first + count; ++n) {
      while (last >= 0 && n >= rows_.count(last)) --last;
      const bool empty = last < 0;
      const ConstRows h = empty ? rows_of(d_.h0) : rows_of(ConstMatrix(d_.y));
      const int64_t row = empty ? n : rows_.row(d_.reverse ? 0 : last, n);
      copy_row(h, row, rows_of(d_.h_n).from(n).at, P_);
      if (kind_.has_cell_state()) {
        copy_row(empty ? rows_of(d_.c0) : ConstRows(states.c), n, rows_of(d_.c_n).from(n).at, H_);
      }
    }
  }
};

/// A direction's weights: those that were packed before, or packed here.
class WeightsOfCall {
 public:
  WeightsOfCall(const RecurrentForward& pass, const RecurrentDirection& d, FloatMemory& memory) {
    if (d.packed != nullptr) {
      kept_ = &static_cast<const CpuPackedRecurrent*>(d.packed)->weights();
    } else {
      made_.emplace(memory, pass.kind, d.weights, pass.precision, pass.rows.sequences <= kStreamRows);
    }
  }
  const ForwardWeights& operator*() const { return made_ ? *made_ : *kept_; }

 private:
  const ForwardWeights* kept_ = nullptr;
  std::optional<ForwardWeights> made_;
};

/// @param states  one for each shard of each direction.
void run_pass(ThreadPool& pool, const Sharding& sharding, std::span<const ForwardDirection> directions,
              std::span<States> states) {
  const auto num_directions = static_cast<int64_t>(directions.size());
  const int64_t shards = sharding.shards;
  ScratchFrame frame;
  for (int64_t i = 0; i < num_directions * shards; ++i) {
    states[i] = directions[i / shards].begin(sharding.shard(i % shards), frame);
  }
  const int64_t together = directions[0].steps_together(num_directions);
  for (int64_t first = 0; first < directions[0].steps(); first += together) {
    const Steps part{first, std::min(first + together, directions[0].steps())};
    for (const ForwardDirection& direction : directions) direction.enter_input(pool, part);
    const auto share = [&](int64_t d, StepTeam& team, int64_t member) {
      directions[d].run(sharding.shard(0), states[d], part, team, member);
    };
    const auto alone = [&](int64_t d, int64_t s) {
      directions[d].run(sharding.shard(s), states[d * shards + s], part);
    };
    if (sharding.members > 1) {
      run_teams(pool, num_directions, sharding.members, share);
    } else {
      sharding.run(pool, num_directions, std::ref(alone));
    }
  }
  for (int64_t i = 0; i < num_directions * shards; ++i) {
    directions[i / shards].finish(sharding.shard(i % shards), states[i]);
  }
}

}  // namespace

void cpu_recurrent_forward(ThreadPool& pool, const RecurrentForward& pass) {
  ScratchFrame frame;
  const auto num_directions = static_cast<int64_t>(pass.directions.size());
  if (num_directions == 0) return;
  const Sharding sharding(pool, pass_size(pass.kind, pass.rows, pass.directions[0].weights, num_directions));
  if (num_directions * sharding.shards == 1) {  // no lists: streams allocate nothing
    const WeightsOfCall weights(pass, pass.directions[0], frame);
    const ForwardDirection direction(pool, pass, pass.directions[0], *weights, frame);
    States states;
    return run_pass(pool, sharding, std::span(&direction, 1), std::span(&states, 1));
  }
  std::vector<WeightsOfCall> weights;
  weights.reserve(num_directions);
  std::vector<ForwardDirection> directions;
  for (const RecurrentDirection& d : pass.directions) {
    weights.emplace_back(pass, d, frame);
    directions.emplace_back(pool, pass, d, *weights.back(), frame);
  }
  std::vector<States> states(num_directions * sharding.shards);
  run_pass(pool, sharding, directions, states);
}

std::unique_ptr<PackedRecurrent> cpu_pack_recurrent(ThreadPool& pool, const CellKind& kind,
                                                    const RecurrentWeights& weights, Precision precision,
                                                    ConstMatrix embedding, bool streams) {
  return std::make_unique<CpuPackedRecurrent>(pool, kind, weights, precision, embedding, streams);
}

int64_t packed_table_rows(const RecurrentDirection& direction) {
  if (direction.packed == nullptr) return 0;
  return static_cast<const CpuPackedRecurrent*>(direction.packed)->table_rows();
}

}  // namespace rondo
