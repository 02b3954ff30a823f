#include "kernels/cpu/recurrent_weights.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "kernels/cpu/recurrent_passes.h"

namespace rondo {

namespace {

bool resets_before(const CellKind& kind) { return kind.cell == Cell::kGru && kind.reset_before; }

/// Where blocks first .. end-1 begin.
std::vector<int64_t> blocks_at(int64_t first, int64_t end, int64_t H) {
  std::vector<int64_t> at;
  for (int64_t block = first; block < end; ++block) at.push_back(block * H);
  return at;
}

/// b_ih + b_hh; what gru with reset after adds to Uh stands apart, in the block behind n.
float* make_bias(FloatMemory& memory, const CellKind& kind, const RecurrentWeights& w, int64_t H) {
  const int64_t columns = kind.blocks() * H, plain = kind.plain_blocks() * H;
  const bool apart = kind.saved_blocks() > kind.blocks();
  float* bias = memory.take(kind.saved_blocks() * H);
  copy_row(rows_of(w.b_ih), 0, bias, columns);
  const float* b_hh = rows_of(w.b_hh).at;
  for (int64_t j = 0; b_hh != nullptr && j < (apart ? plain : columns); ++j) bias[j] += b_hh[j];
  if (apart) copy_row({b_hh == nullptr ? nullptr : b_hh + plain, 0}, 0, bias + columns, H);
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
  const auto all = blocks_at(0, G, H), plain = blocks_at(0, kind.plain_blocks(), H);
  input = pack(w.w_ih, H, all, all);
  if (resets_before(kind)) {
    candidate = pack(w.w_hh, H, blocks_at(G - 1, G, H), blocks_at(G - 1, G, H));
    state = pack(w.w_hh, H, plain, plain);
  } else if (kind.cell == Cell::kGru) {
    std::vector<int64_t> to = plain;
    to.push_back(G * H);  // Uh + b_hn stays apart from Wx + b_in
    state = pack(w.w_hh, H, all, to);
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
