#include "kernels/cpu/recurrent_weights.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "kernels/cpu/recurrent_passes.h"

namespace rondo {

namespace {

bool resets_before(const CellKind& kind) { return kind.cell == Cell::kGru && kind.reset_before; }

std::vector<int64_t> blocks_at(std::initializer_list<int64_t> blocks, int64_t H) {
  std::vector<int64_t> first;
  for (const int64_t block : blocks) first.push_back(block * H);
  return first;
}

/// b_ih + b_hh; what gru with reset after adds to Uh stands apart, in the fourth block.
float* make_bias(FloatMemory& memory, const CellKind& kind, const RecurrentWeights& w, int64_t H) {
  const int64_t columns = kind.blocks() * H;
  const bool apart = kind.saved_blocks() > kind.blocks();
  float* bias = memory.take(kind.saved_blocks() * H);
  copy_row(rows_of(w.b_ih), 0, bias, columns);
  const float* b_hh = rows_of(w.b_hh).at;
  for (int64_t j = 0; b_hh != nullptr && j < (apart ? 2 * H : columns); ++j) bias[j] += b_hh[j];
  if (apart) copy_row({b_hh == nullptr ? nullptr : b_hh + 2 * H, 0}, 0, bias + 3 * H, H);
  return bias;
}

}  // namespace

ForwardWeights::ForwardWeights(FloatMemory& memory, const CellKind& kind, const RecurrentWeights& w,
                               Precision precision, bool streams)
    : D(w.w_ih.columns),
      H(w.w_hh.rows / kind.blocks()),
      P(w.w_hh.columns),
      G(kind.blocks()),
      S(kind.saved_blocks()),
      bias(make_bias(memory, kind, w, H)) {
  const TileKernels& kernels = tile_kernels();
  const auto pack = [&](ConstMatrix b, int64_t units, std::vector<int64_t> from, std::vector<int64_t> to) {
    return PackedWeights(kernels, memory,
                         {.b = b,
                          .transposed = true,
                          .precision = precision,
                          .streams = streams,
                          .units = units,
                          .from = std::move(from),
                          .to = std::move(to)});
  };
  const auto all = G == 1 ? blocks_at({0}, H) : G == 3 ? blocks_at({0, 1, 2}, H) : blocks_at({0, 1, 2, 3}, H);
  input = pack(w.w_ih, H, all, all);
  if (resets_before(kind)) {
    candidate = pack(w.w_hh, H, blocks_at({2}, H), blocks_at({2}, H));
    state = pack(w.w_hh, H, blocks_at({0, 1}, H), blocks_at({0, 1}, H));
  } else if (kind.cell == Cell::kGru) {
    state = pack(w.w_hh, H, all, blocks_at({0, 1, 3}, H));  // Uh + b_hn stays apart from Wx + b_in
  } else {
    state = pack(w.w_hh, H, all, all);
  }
  if (w.w_hr) project = pack(w.w_hr, P, {0}, {0});
}

void multiply_input(ThreadPool& pool, const ForwardWeights& w, ConstRows x, int64_t rows, Rows to) {
  constexpr int64_t kBlockRows = 96;  // they stay in the second cache while the weights pass
  const auto block = [&](int64_t first, int64_t count) {
    ScratchFrame frame;
    const Operand a = make_operand(w.input.precision(), frame, x.from(first), count, w.D);
    w.input.multiply(a, to.from(first), count, {.start = w.bias});
    for (int64_t r = first; w.S > w.G && r < first + count; ++r) {
      std::memcpy(to.from(r, w.G * w.H).at, w.bias + w.G * w.H, w.H * sizeof(float));
    }
  };
  const int64_t blocks = (rows + kBlockRows - 1) / kBlockRows;
  const auto task = [&](int64_t i) { block(i * kBlockRows, std::min(kBlockRows, rows - i * kBlockRows)); };
  if (worth_threads(pool, 2 * rows * w.D * w.G * w.H)) return pool.run(blocks, std::ref(task));
  for (int64_t i = 0; i < blocks; ++i) task(i);
}

CpuPackedRecurrent::CpuPackedRecurrent(ThreadPool& pool, const CellKind& kind, const RecurrentWeights& w,
                                       Precision precision, ConstMatrix embedding, bool streams)
    : weights_(memory_, kind, w, precision, streams) {
  if (!embedding) return;
  table_rows_ = embedding.rows;
  const int64_t columns = weights_.S * weights_.H;
  const Rows table{memory_.take(table_rows_ * columns), columns};
  multiply_input(pool, weights_, rows_of(embedding), table_rows_, table);
  weights_.table = table;
}

}  // namespace rondo
