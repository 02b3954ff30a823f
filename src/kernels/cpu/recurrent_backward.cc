#include <vector>

#include "kernels/cpu/elementwise.h"
#include "kernels/cpu/packed_weights.h"
#include "kernels/cpu/product.h"
#include "kernels/cpu/recurrent_passes.h"
#include "kernels/cpu/sequences.h"

namespace rondo {

namespace {

Matrix matrix_of(Rows rows, int64_t num_rows, int64_t columns) {
  return {rows.at, DType::kFloat32, num_rows, columns, rows.row};
}

/// What the way back through time leaves for the gradients of the weights, a row for each packed row.
struct Trace {
  Rows h;       ///< [R, P] the state that the recurrent weights multiplied
  Rows c;       ///< [R, H] lstm with peepholes: the cell before
  Rows reset;   ///< [R, H] gru with reset before: r*h
  Rows output;  ///< [R, H] with a projection: o*tanh(c')
  Rows d_h;     ///< [R, P] with a projection: the gradient of h'
};

/// The gradients that a shard's sequences carry from step to step.
struct Carried {
  Rows d_h;       ///< [N, P]
  Rows d_c;       ///< [N, H] lstm
  Rows d_masked;  ///< [N, P] gradient of h times the mask
  Rows d_output;  ///< [N, H] with a projection: gradient of o*tanh(c')
};

/// One direction: weights packed, then run() for each shard, in any order and at the same time.
class BackwardDirection {
 public:
  BackwardDirection(const RecurrentBackward& pass, const RecurrentDirectionBackward& direction,
                    ScratchFrame& frame)
      : kind_(pass.kind),
        precision_(pass.precision),
        rows_(pass.rows),
        b_(direction),
        d_(direction.forward),
        lstm_(kind_, d_.weights.peepholes),
        H_(d_.weights.w_hh.rows / pass.kind.blocks()),
        P_(d_.weights.w_hh.columns) {
    pack(frame);
    make_trace(frame);
    zeros_ = frame.take_zeros(std::max(H_, P_));
  }

  /// All steps, the caller alone.
  void run(const Shard& shard) const {
    ScratchFrame frame;
    const Carried carried = begin(shard, frame);
    for (int64_t i = 0; i <= rows_.steps(); ++i) turn(carried, i, shard, {0, state_.unit_groups()});
    finish(shard, carried);
  }

  /// All steps, as one member of a team that shares the units of each.
  void run(const Shard& shard, const Carried& carried, StepTeam& team, int64_t member) const {
    const int64_t groups = state_.unit_groups();
    team.run(member, rows_.steps() + 1, [&](int64_t i, int64_t part) {
      turn(carried, i, shard, {part * groups / team.members(), (part + 1) * groups / team.members()});
    });
  }

  /// What a shard carries before its first step, in the frame.
  Carried begin(const Shard& shard, ScratchFrame& frame) const {
    const Carried carried = make_carried(frame);
    shard.each(0, rows_.sequences, [&](int64_t n, int64_t count) { begin(carried, n, count); });
    return carried;
  }
  void finish(const Shard& shard, const Carried& carried) const {
    shard.each(0, rows_.sequences, [&](int64_t n, int64_t count) { finish(carried, n, count); });
  }

  /// d_W, d_x, d_U, d_b and the rest: sums over all rows in their order.
  void add_input_gradients(ThreadPool& pool, const RecurrentBackward& pass) const;
  void add_weight_gradients(ThreadPool& pool) const;

 private:
  CellKind kind_;
  Precision precision_;
  PackedRows rows_;
  const RecurrentDirectionBackward& b_;
  const RecurrentDirection& d_;
  LstmParts lstm_;  // from the first unit on
  int64_t H_, P_;
  PackedWeights state_;      // of d_h = d_gates * U: the plain blocks
  PackedWeights candidate_;  // gru: that of n
  PackedWeights project_;    // [P, H]
  Trace trace_;
  const float* zeros_;  // max(H, P): the state before the first step where none is given

  bool resets_before() const { return kind_.cell == Cell::kGru && kind_.reset_before; }
  bool resets_after() const { return kind_.cell == Cell::kGru && !kind_.reset_before; }
  bool projected() const { return bool(d_.weights.w_hr); }

  void pack(ScratchFrame& frame) {
    const TileKernels& kernels = tile_kernels();
    const bool streams = rows_.sequences <= kStreamRows;
    const auto packed = [&](const ConstMatrix& b, int64_t units, int64_t other_k = 0) {
      return PackedWeights(
          kernels, frame,
          {.b = b, .precision = precision_, .streams = streams, .units = units, .other_k = other_k});
    };
    const ConstMatrix& u = d_.weights.w_hh;
    const int64_t plain = kind_.plain_blocks() * H_;
    state_ = packed(u.rows_at(0, plain), P_, u.rows - plain);
    if (plain < u.rows) candidate_ = packed(u.rows_at(plain, H_), P_, plain);
    if (projected()) project_ = packed(d_.weights.w_hr, H_);
  }

  void make_trace(ScratchFrame& frame) {
    auto make = [&](bool wanted, int64_t columns) {
      return wanted ? Rows{frame.take(rows_.rows() * columns), columns} : Rows{};
    };
    trace_ = {.h = make(bool(b_.d_weights.w_hh), P_),
              .c = make(kind_.peepholes && b_.d_weights.peepholes, H_),
              .reset = make(resets_before(), H_),
              .output = make(projected(), H_),
              .d_h = make(projected(), P_)};
  }

  Carried make_carried(ScratchFrame& frame) const {
    const int64_t N = rows_.sequences;
    auto make = [&](bool wanted, int64_t columns) {
      return wanted ? Rows{frame.take(N * padded_row(columns)), padded_row(columns)} : Rows{};
    };
    return {.d_h = make(true, P_),
            .d_c = make(kind_.has_cell_state(), H_),
            .d_masked = make(d_.state_mask || resets_before(), P_),
            .d_output = make(projected(), H_)};
  }

  void begin(const Carried& carried, int64_t first, int64_t count) const {
    for (int64_t n = first; n < first + count; ++n) {
      copy_row(rows_of(b_.d_h_n), n, carried.d_h.from(n).at, P_);
      if (kind_.has_cell_state()) copy_row(rows_of(b_.d_c_n), n, carried.d_c.from(n).at, H_);
    }
  }

  void finish(const Carried& carried, int64_t first, int64_t count) const {
    if (b_.d_h0) cpu_copy(matrix_of(carried.d_h.from(first), count, P_), b_.d_h0.rows_at(first, count), true);
    if (b_.d_c0 && kind_.has_cell_state()) {
      cpu_copy(matrix_of(carried.d_c.from(first), count, H_), b_.d_c0.rows_at(first, count), true);
    }
  }

  /// Where sequences first .. stood before step t: in the rows of its neighbour, or at the beginning.
  ConstRows before(int64_t t, int64_t first, bool initial, ConstRows states, ConstRows from) const {
    if (!initial) return states.from(rows_.row(d_.reverse ? t + 1 : t - 1, first));
    if (from.at != nullptr) return from.from(first);
    return {zeros_, 0};
  }

  CellBackward cell_at(const Carried& carried, int64_t t, int64_t n, int64_t count, bool initial) const {
    const int64_t row = rows_.row(t, n);
    CellBackward cell{.rows = count, .units = H_, .block = H_};
    cell.gates = rows_of(d_.gates).from(row);
    if (kind_.has_cell_state()) {
      cell.cells = rows_of(d_.cells).from(row);
      cell.c_before = before(t, n, initial, rows_of(d_.cells), rows_of(d_.c0));
      cell.d_c = carried.d_c.from(n);
    }
    if (kind_.cell == Cell::kGru) cell.h_before = before(t, n, initial, rows_of(d_.y), rows_of(d_.h0));
    cell.lstm = lstm_;
    if (!projected()) cell.d_y = rows_of(b_.d_y).from(row);
    cell.d_h = projected() ? carried.d_output.from(n) : carried.d_h.from(n);
    cell.d_states = rows_of(b_.d_states).from(row);
    cell.output = trace_.output.from(row);
    cell.mask = rows_of(d_.state_mask).from(n);
    cell.reset = trace_.reset.from(row);
    cell.d_reset = carried.d_masked.from(n);
    return cell;
  }

  int64_t time_of(int64_t i) const { return d_.reverse ? i : rows_.steps() - 1 - i; }

  /// Turn i of the way back: what step i-1 left is multiplied back, then step i applied, for some units. So a
  /// unit's gradient is made and used by the same thread, and only the gates' are shared.
  void turn(const Carried& carried, int64_t i, const Shard& shard, Units units) const {
    if (i > 0) {
      const int64_t t = time_of(i - 1);
      shard.each(0, rows_.count(t),
                 [&](int64_t n, int64_t count) { multiply_back(carried, t, n, count, units); });
    }
    if (i == rows_.steps()) return;
    const int64_t t = time_of(i);
    // The sequences that begin at this step read their initial state, the others the step before.
    const Entering in = entering(rows_, t, d_.reverse);
    shard.each(in.begin, in.end,
               [&](int64_t n, int64_t count) { apply_step(carried, t, n, count, true, units); });
    const int64_t rest = in.end > 0 ? in.begin : rows_.count(t);
    shard.each(0, rest, [&](int64_t n, int64_t count) { apply_step(carried, t, n, count, false, units); });
  }

  void apply_step(const Carried& carried, int64_t t, int64_t n, int64_t count, bool initial,
                  Units units) const {
    const int64_t row = rows_.row(t, n);
    if (projected()) project(carried, row, n, count);
    const Columns columns = columns_of(units);
    CellBackward cell = cell_at(carried, t, n, count, initial);
    if (!projected()) {  // then the units of U's columns are those of the cell
      cell = cell.from(0, columns.first);
      cell.units = columns.count;
    }
    apply(cell);
    if (trace_.h.at != nullptr) {
      const ConstRows h = before(t, n, initial, rows_of(ConstMatrix(d_.y)), rows_of(d_.h0));
      const ConstRows mask = rows_of(d_.state_mask);
      for (int64_t i = 0; i < count; ++i) {
        mask_row(h.from(i, columns.first).at, mask.from(0, columns.first), n + i,
                 trace_.h.from(row + i, columns.first).at, columns.count);
      }
    }
    if (trace_.c.at != nullptr) {
      const Rows to = trace_.c.from(row, projected() ? 0 : columns.first);
      for (int64_t i = 0; i < count; ++i) copy_row(cell.c_before, i, to.from(i).at, cell.units);
    }
  }

  /// Columns of U, and without a projection units of the cell.
  struct Columns {
    int64_t first, count;
  };
  Columns columns_of(Units units) const {
    const int64_t first = state_.first_unit(units.first);
    return {first, state_.first_unit(units.end) - first};
  }

  /// d_h += d_y; d_output = d_h * W_hr.
  void project(const Carried& carried, int64_t row, int64_t n, int64_t count) const {
    const Rows d_h = trace_.d_h.from(row);
    cpu_copy(matrix_of(carried.d_h.from(n), count, P_), matrix_of(d_h, count, P_), false);
    if (b_.d_y) cpu_copy(b_.d_y.rows_at(row, count), matrix_of(d_h, count, P_), true);
    multiply(project_, d_h, P_, carried.d_output.from(n), count, {});
  }

  /// c = a * weights over `part`, where a has `columns` columns.
  void multiply(const PackedWeights& weights, ConstRows a, int64_t columns, Rows c, int64_t rows,
                const PackedWeights::Part& part) const {
    ScratchFrame frame;
    weights.multiply(make_operand(precision_, frame, a, rows, columns), c, rows, part);
  }

  /// The gradients of the gates, in place.
  void apply(const CellBackward& cell) const {
    const CellGradientKernels& kernels = cell_gradient_kernels();
    if (kind_.cell == Cell::kRnn) {
      const auto kernel = kind_.linear ? kernels.rnn_linear
                          : kind_.relu ? kernels.rnn_relu
                                       : kernels.rnn_tanh;
      return kernel(cell);
    }
    if (kind_.cell == Cell::kLstm) return kernels.lstm[form_of(kind_).index()](cell);
    if (resets_after()) return kernels.gru[kind_.coupled](cell);
    kernels.gru_state[kind_.coupled](cell);
    multiply(candidate_, cell.gates.from(0, kind_.plain_blocks() * H_), H_, cell.d_reset, cell.rows, {});
    kernels.gru_reset[kind_.coupled](cell);
  }

  /// d_h = what passes by + mask * (d_gates U [+ what passes through r]).
  void multiply_back(const Carried& carried, int64_t t, int64_t n, int64_t count, Units units) const {
    const bool masked = bool(d_.state_mask);
    const Columns columns = columns_of(units);
    const auto part_of = [&](Rows rows) {
      return matrix_of(rows.from(n, columns.first), count, columns.count);
    };
    if (resets_before() && !masked) cpu_copy(part_of(carried.d_masked), part_of(carried.d_h), true);
    const Rows target = (masked ? carried.d_masked : carried.d_h).from(n);
    const ConstRows gates = rows_of(d_.gates).from(rows_.row(t, n));
    PackedWeights::Part part{.first_group = units.first,
                             .groups = units.end - units.first,
                             .accumulate = masked ? resets_before() : kind_.cell == Cell::kGru};
    multiply(state_, gates, kind_.plain_blocks() * H_, target, count, part);
    if (resets_after()) {
      part.accumulate = true;
      multiply(candidate_, gates.from(0, kind_.blocks() * H_), H_, target, count, part);
    }
    if (!masked) return;
    const ConstMatrix mask = d_.state_mask.rows_at(n, count).columns_at(columns.first, columns.count);
    cpu_multiply(part_of(carried.d_masked), mask, part_of(carried.d_h), kind_.cell == Cell::kGru);
  }

  /// to += a^T b over all rows.
  void add_outer(ThreadPool& pool, ConstMatrix a, ConstMatrix b, const Matrix& to) const {
    if (!to) return;
    cpu_product(pool, {.a = a,
                       .b = b,
                       .c = to,
                       .bias = {},
                       .transpose_a = true,
                       .accumulate = true,
                       .precision = precision_});
  }
  void add_peepholes() const;
};

/// Rows of x that repeat: their gradients are added up first, and multiplied once.
void BackwardDirection::add_input_gradients(ThreadPool& pool, const RecurrentBackward& pass) const {
  const int64_t columns = kind_.blocks() * H_;
  ConstMatrix d_input = ConstMatrix(d_.gates).columns_at(0, columns);
  ScratchFrame frame;
  if (!pass.x_rows.empty()) {
    const int64_t distinct = pass.x.rows;
    const Matrix sums{frame.take_zeros(distinct * columns), DType::kFloat32, distinct, columns, columns};
    cpu_scatter_add_rows(pool, d_input, pass.x_rows, sums);
    d_input = sums;
  }
  add_outer(pool, d_input, pass.x, b_.d_weights.w_ih);
  if (!pass.d_x) return;
  cpu_product(pool, {.a = d_input,
                     .b = d_.weights.w_ih,
                     .c = pass.d_x,
                     .bias = {},
                     .accumulate = true,
                     .precision = precision_});
}

void BackwardDirection::add_weight_gradients(ThreadPool& pool) const {
  const RecurrentGradients& g = b_.d_weights;
  const int64_t R = rows_.rows();
  const int64_t plain = kind_.plain_blocks() * H_;
  const ConstMatrix gates = d_.gates;
  const ConstMatrix d_input = gates.columns_at(0, kind_.blocks() * H_);
  const ConstMatrix h = matrix_of(trace_.h, R, P_);
  if (g.b_ih) cpu_add_column_sums(pool, d_input, g.b_ih);
  if (g.w_hh) add_outer(pool, gates.columns_at(0, plain), h, g.w_hh.rows_at(0, plain));
  if (g.b_hh) cpu_add_column_sums(pool, gates.columns_at(0, plain), g.b_hh.columns_at(0, plain));
  if (kind_.cell == Cell::kGru) {
    const ConstMatrix d_n = gates.columns_at(resets_before() ? plain : kind_.blocks() * H_, H_);
    const ConstMatrix entered = resets_before() ? ConstMatrix(matrix_of(trace_.reset, R, H_)) : h;
    if (g.w_hh) add_outer(pool, d_n, entered, g.w_hh.rows_at(plain, H_));
    if (g.b_hh) cpu_add_column_sums(pool, d_n, g.b_hh.columns_at(plain, H_));
  }
  if (projected()) add_outer(pool, matrix_of(trace_.d_h, R, P_), matrix_of(trace_.output, R, H_), g.w_hr);
  if (kind_.peepholes && g.peepholes) add_peepholes();
}

void BackwardDirection::add_peepholes() const {
  const LstmBlocks at = kind_.lstm();
  const ConstMatrix gates = d_.gates;
  const ConstMatrix c = matrix_of(trace_.c, rows_.rows(), H_);
  const auto add = [&](int64_t row, int64_t block, const ConstMatrix& cells) {
    if (row < 0) return;
    cpu_add_product_sums(gates.columns_at(block * H_, H_), cells, b_.d_weights.peepholes.rows_at(row, 1));
  };
  add(at.p_i, at.i, c);
  add(at.p_f, at.f, c);
  add(at.p_o, at.o, d_.cells);
}

/// Each direction's units are shared by a team.
void run_shared(ThreadPool& pool, const std::vector<BackwardDirection>& directions,
                const Sharding& sharding) {
  const Shard all = sharding.shard(0);
  ScratchFrame frame;
  std::vector<Carried> carried;
  for (const BackwardDirection& direction : directions) carried.push_back(direction.begin(all, frame));
  run_teams(
      pool, static_cast<int64_t>(directions.size()), sharding.members,
      [&](int64_t d, StepTeam& team, int64_t member) { directions[d].run(all, carried[d], team, member); });
  for (size_t d = 0; d < directions.size(); ++d) directions[d].finish(all, carried[d]);
}

}  // namespace

void cpu_recurrent_backward(ThreadPool& pool, const RecurrentBackward& pass) {
  const auto num_directions = static_cast<int64_t>(pass.directions.size());
  if (num_directions == 0) return;
  ScratchFrame frame;
  std::vector<BackwardDirection> directions;
  directions.reserve(num_directions);
  for (const RecurrentDirectionBackward& d : pass.directions) directions.emplace_back(pass, d, frame);
  const RecurrentWeights& weights = pass.directions[0].forward.weights;
  const Sharding sharding(pool, pass_size(pass.kind, pass.rows, weights, num_directions));
  if (sharding.members > 1) {
    run_shared(pool, directions, sharding);
  } else {
    sharding.run(pool, num_directions, [&](int64_t d, int64_t s) { directions[d].run(sharding.shard(s)); });
  }
  for (size_t i = 0; i < directions.size(); ++i) {
    directions[i].add_input_gradients(pool, pass);
    directions[i].add_weight_gradients(pool);
  }
}

}  // namespace rondo
