#include <cstring>
#include <utility>

#include "kernels/cpu/packed_weights.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/recurrent_passes.h"

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
};

/// One direction: weights packed, then run() for each shard, in any order and at the same time.
class ForwardDirection {
 public:
  ForwardDirection(const RecurrentForward& pass, const RecurrentDirection& direction, ScratchFrame& frame)
      : kind_(pass.kind),
        rows_(pass.rows),
        d_(direction),
        H_(direction.weights.w_hh.rows / pass.kind.blocks()),
        P_(direction.weights.w_hh.columns) {
    pack(frame);
  }

  void run(const Shard& shard) const {
    ScratchFrame frame;
    States states = make_states(frame);
    const int64_t steps = rows_.steps();
    for (int64_t i = 0; i < steps; ++i) {
      const int64_t t = d_.reverse ? steps - 1 - i : i;
      const Entering in = entering(rows_, t, d_.reverse);
      shard.each(in.begin, in.end, [&](int64_t n, int64_t count) { enter(states, n, count); });
      step(states, t, shard);
      std::swap(states.h, states.h_next);
    }
    shard.each(0, rows_.sequences, [&](int64_t n, int64_t count) { finish(states, n, count); });
  }

 private:
  CellKind kind_;
  PackedRows rows_;
  const RecurrentDirection& d_;
  int64_t H_, P_;
  PackedWeights state_;      // of the gates that h enters
  PackedWeights candidate_;  // gru with reset before: of n, which r*h enters
  PackedWeights project_;

  bool resets_before() const { return kind_.cell == Cell::kGru && kind_.reset_before; }

  void pack(ScratchFrame& frame) {
    const TileKernels& kernels = tile_kernels();
    const ConstMatrix& u = d_.weights.w_hh;
    WeightSource source{.b = rows_of(u).at, .b_column = u.stride, .k = P_, .units = H_};
    source.from.clear();
    for (int64_t g = 0; g < kind_.blocks(); ++g) source.from.push_back(g * H_);
    source.to = source.from;
    if (resets_before()) {
      source.from = source.to = {2 * H_};
      candidate_ = PackedWeights(kernels, frame, source);
      source.from = source.to = {0, H_};
    } else if (kind_.cell == Cell::kGru) {
      source.to.back() = 3 * H_;  // Uh + b_hn stays apart from Wx + b_in
    }
    state_ = PackedWeights(kernels, frame, source);
    if (const ConstMatrix& w = d_.weights.w_hr; w) {
      project_ =
          PackedWeights(kernels, frame, {.b = rows_of(w).at, .b_column = w.stride, .k = H_, .units = P_});
    }
  }

  States make_states(ScratchFrame& frame) const {
    const int64_t N = rows_.sequences;
    auto make = [&](bool wanted, int64_t columns) {
      return wanted ? Rows{frame.take(N * padded_row(columns)), padded_row(columns)} : Rows{};
    };
    return {.h = make(true, P_),
            .h_next = make(true, P_),
            .h_plain = make(kind_.cell == Cell::kGru, P_),
            .c = make(kind_.has_cell_state(), H_),
            .output = make(bool(d_.weights.w_hr), H_),
            .reset = make(resets_before(), H_)};
  }

  void enter(const States& states, int64_t first, int64_t count) const {
    for (int64_t n = first; n < first + count; ++n) {
      float* h = states.h.from(n).at;
      copy_row(rows_of(d_.h0), n, h, P_);
      if (states.h_plain.at != nullptr) std::memcpy(states.h_plain.from(n).at, h, P_ * sizeof(float));
      if (states.c.at != nullptr) copy_row(rows_of(d_.c0), n, states.c.from(n).at, H_);
      mask_row(h, rows_of(d_.state_mask), n, h, P_);
    }
  }

  CellForward cell_at(const States& states, int64_t t, int64_t n, int64_t count) const {
    const bool projected = bool(d_.weights.w_hr);
    const int64_t row = rows_.row(t, n);
    CellForward cell{.rows = count, .units = H_, .block = H_};
    cell.gates = rows_of(d_.gates).from(row);
    cell.c = states.c.from(n);
    cell.cells = rows_of(d_.cells).from(row);
    cell.h = projected ? states.output.from(n) : rows_of(d_.y).from(row);
    if (!projected) cell.h_next = states.h_next.from(n);
    cell.h_plain = states.h_plain.from(n);
    cell.h_masked = states.h.from(n);
    cell.reset = states.reset.from(n);
    cell.mask = rows_of(d_.state_mask).from(n);
    const ConstRows peepholes = rows_of(d_.weights.peepholes);
    for (int64_t p = 0; p < kind_.peephole_rows(); ++p) {
      cell.peepholes[p + (kind_.coupled ? 1 : 0)] = peepholes.from(p).at;
    }
    return cell;
  }

  using Kernel = void (*)(const CellForward&);
  Kernel kernel() const {
    const CellKernels& kernels = cell_kernels();
    if (kind_.cell == Cell::kRnn) return kind_.relu ? kernels.rnn_relu : kernels.rnn_tanh;
    if (kind_.cell == Cell::kLstm) return kind_.coupled ? kernels.lstm_coupled : kernels.lstm;
    return kind_.reset_before ? kernels.gru_reset : kernels.gru;
  }

  /// Gates += a * weights, then the cell, group by group of units while the gates are in the first cache.
  void multiply_and_apply(const PackedWeights& weights, ConstRows a, const CellForward& cell,
                          Kernel apply) const {
    constexpr int64_t kFewRows = 6;  // then the gates of all units fit, and more panels go together
    const int64_t together = cell.rows <= kFewRows ? weights.unit_groups() : 1;
    for (int64_t group = 0; group < weights.unit_groups(); group += together) {
      const int64_t unit = weights.first_unit(group);
      weights.multiply(a, cell.gates, cell.rows,
                       {.first_group = group, .groups = together, .accumulate = true});
      CellForward part = cell.from(0, unit);
      part.units = weights.first_unit(group + together) - unit;
      apply(part);
    }
  }

  void step(const States& states, int64_t t, const Shard& shard) const {
    const Kernel apply = kernel();
    shard.each(0, rows_.count(t), [&](int64_t n, int64_t count) {
      const CellForward cell = cell_at(states, t, n, count);
      multiply_and_apply(state_, states.h.from(n), cell, apply);
      if (resets_before()) {
        multiply_and_apply(candidate_, states.reset.from(n), cell, cell_kernels().gru_state);
      }
      if (d_.weights.w_hr) project(states, t, n, count);
    });
  }

  void project(const States& states, int64_t t, int64_t first, int64_t count) const {
    const Rows y = rows_of(d_.y).from(rows_.row(t, first));
    project_.multiply(states.output.from(first), y, count);
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

/// gates = W x + b_ih + b_hh for all rows; gru with reset after keeps b_hn apart, in the fourth block.
void multiply_input(ThreadPool& pool, const RecurrentForward& pass, const RecurrentDirection& d) {
  const RecurrentWeights& w = d.weights;
  const int64_t columns = w.w_ih.rows;
  const int64_t H = columns / pass.kind.blocks();
  const bool apart = pass.kind.saved_blocks() > pass.kind.blocks();
  ScratchFrame frame;
  float* bias = frame.take(columns);
  copy_row(rows_of(w.b_ih), 0, bias, columns);
  const float* b_hh = rows_of(w.b_hh).at;
  for (int64_t j = 0; b_hh != nullptr && j < (apart ? 2 * H : columns); ++j) bias[j] += b_hh[j];
  cpu_product(pool, {.a = pass.x,
                     .b = w.w_ih,
                     .c = d.gates.columns_at(0, columns),
                     .bias = {bias, DType::kFloat32, 1, columns, columns},
                     .transpose_b = true});
  for (int64_t r = 0; apart && r < d.gates.rows; ++r) {
    copy_row({b_hh == nullptr ? nullptr : b_hh + 2 * H, 0}, 0, d.gates.row<float>(r) + 3 * H, H);
  }
}

}  // namespace

void cpu_recurrent_forward(ThreadPool& pool, const RecurrentForward& pass) {
  ScratchFrame frame;
  std::vector<ForwardDirection> directions;
  int64_t operations = 0;
  for (const RecurrentDirection& d : pass.directions) {
    multiply_input(pool, pass, d);
    directions.emplace_back(pass, d, frame);
    operations += 2 * pass.rows.rows() * d.weights.w_hh.size();
  }
  const Sharding sharding(pool, pass.rows.sequences, static_cast<int64_t>(directions.size()), operations);
  auto task = [&](int64_t i) { directions[i / sharding.shards].run(sharding.shard(i % sharding.shards)); };
  const int64_t tasks = static_cast<int64_t>(directions.size()) * sharding.shards;
  if (worth_threads(pool, operations)) {
    pool.run(tasks, task);
  } else {
    for (int64_t i = 0; i < tasks; ++i) task(i);
  }
}

}  // namespace rondo
