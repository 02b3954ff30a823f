// Speed of the CPU kernels in GF/s, beside the processor's own peak: judge the ratio. On one thread, or on
// RONDO_BENCH_THREADS.
//   bench/kernels_bench --benchmark_filter='Peak|Lstm'
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "base/random.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/tile.h"
#include "tensor/packing.h"

namespace rondo {
namespace {

Backend& cpu() {
  static const char* threads = std::getenv("RONDO_BENCH_THREADS");
  static const auto backend = make_cpu_backend(threads == nullptr ? 1 : std::atoi(threads));
  return *backend;
}

std::vector<float> noise(int64_t count, float scale = 0.1F) {
  std::vector<float> values(count);
  const Stream stream(1, {static_cast<uint64_t>(count)});
  for (int64_t i = 0; i < count; ++i) values[i] = scale * (2 * stream.uniform(i) - 1);
  return values;
}

Matrix matrix(std::vector<float>& values, int64_t rows, int64_t columns) {
  return {values.data(), DType::kFloat32, rows, columns, columns};
}

void report(benchmark::State& state, int64_t operations) {
  state.counters["GF/s"] = benchmark::Counter(static_cast<double>(operations) * 1e-9,
                                              benchmark::Counter::kIsIterationInvariantRate);
}

/// One tile over operands in the first cache, by its rows: the best of them is what one core can do at most,
/// whatever surrounds it.
void Peak(benchmark::State& state) {
  cpu();  // reads RONDO_TARGET
  const TileKernels& kernels = tile_kernels();
  const int rows = static_cast<int>(state.range(0));
  if (rows > kernels.max_rows) return state.SkipWithError("taller than this target's tiles");
  const int panels = kernels.panels(rows);
  const int64_t k = 128;
  const int64_t width = 2 * kernels.lanes;
  auto a = noise(rows * k), b = noise(panels * k * width), c = noise(rows * panels * width);
  Tile tile{
      .a = a.data(), .a_row = k, .b = b.data(), .b_k = width, .b_panel = k * width, .k = k, .rows = rows};
  tile.panels = panels;
  tile.columns = width;
  for (int q = 0; q < panels; ++q) tile.c[q] = c.data() + q * width;
  tile.c_row = panels * width;
  for (auto _ : state) {
    kernels.multiply_float32(tile);
    benchmark::ClobberMemory();
  }
  report(state, 2 * rows * panels * k * width);
}
BENCHMARK(Peak)->DenseRange(1, 12);

/// Arguments m, n, k, transpose_b.
void ProductOf(benchmark::State& state) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const bool transposed = state.range(3) != 0;
  auto a = noise(m * k), b = noise(k * n), c = noise(m * n);
  const Product product{.a = matrix(a, m, k),
                        .b = transposed ? matrix(b, n, k) : matrix(b, k, n),
                        .c = matrix(c, m, n),
                        .bias = {},
                        .transpose_b = transposed};
  for (auto _ : state) cpu().product(product);
  report(state, 2 * m * n * k);
}
BENCHMARK(ProductOf)
    ->Args({1, 512, 128, 0})
    ->Args({16, 128, 128, 0})
    ->Args({16, 128, 128, 1})
    ->Args({32, 1024, 256, 1})
    ->Args({800, 128, 64, 1})
    ->Args({2048, 512, 128, 1})
    ->Args({2048, 2048, 512, 1});

/// Gradients of weights: [m, k] of k rows, both given by rows. Arguments m, n, k.
void OuterProducts(benchmark::State& state) {
  const int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  auto a = noise(k * m), b = noise(k * n), c = noise(m * n);
  const Product product{.a = matrix(a, k, m),
                        .b = matrix(b, k, n),
                        .c = matrix(c, m, n),
                        .bias = {},
                        .transpose_a = true,
                        .accumulate = true};
  for (auto _ : state) cpu().product(product);
  report(state, 2 * m * n * k);
}
BENCHMARK(OuterProducts)->Args({128, 64, 800})->Args({512, 128, 2048})->Args({2048, 512, 2048});

/// A recurrent layer over sequences of equal length, with all that its passes read and write.
struct Layer {
  CellKind kind;
  int64_t R, N, D, H, G;
  Packing packing;
  std::vector<float> x, y, w_ih, w_hh, b_ih, b_hh, h_n, c_n, gates, cells;
  std::vector<float> d_x, d_y, d_w_ih, d_w_hh, d_b_ih, d_b_hh;
  std::vector<RecurrentDirection> forward_;
  std::vector<RecurrentDirectionBackward> backward_;

  Layer(Cell cell, int64_t sequences, int64_t steps, int64_t input, int64_t hidden)
      : kind{.cell = cell},
        R(sequences * steps),
        N(sequences),
        D(input),
        H(hidden),
        G(kind.blocks()),
        packing(std::vector<int64_t>(sequences, steps)),
        x(noise(R * D)),
        y(R * H),
        w_ih(noise(G * H * D)),
        w_hh(noise(G * H * H)),
        b_ih(noise(G * H)),
        b_hh(noise(G * H)),
        h_n(N * H),
        c_n(N * H),
        gates(R * kind.saved_blocks() * H),
        cells(R * H),
        d_x(R * D),
        d_y(noise(R * H)),
        d_w_ih(G * H * D),
        d_w_hh(G * H * H),
        d_b_ih(G * H),
        d_b_hh(G * H) {
    RecurrentDirection d;
    d.weights = {.w_ih = matrix(w_ih, G * H, D),
                 .w_hh = matrix(w_hh, G * H, H),
                 .b_ih = matrix(b_ih, 1, G * H),
                 .b_hh = matrix(b_hh, 1, G * H),
                 .w_hr = {},
                 .peepholes = {}};
    d.y = matrix(y, R, H);
    d.h_n = matrix(h_n, N, H);
    d.gates = matrix(gates, R, kind.saved_blocks() * H);
    if (kind.has_cell_state()) {
      d.c_n = matrix(c_n, N, H);
      d.cells = matrix(cells, R, H);
    }
    forward_ = {d};
    RecurrentDirectionBackward b;
    b.forward = d;
    b.d_y = matrix(d_y, R, H);
    b.d_weights = {.w_ih = matrix(d_w_ih, G * H, D),
                   .w_hh = matrix(d_w_hh, G * H, H),
                   .b_ih = matrix(d_b_ih, 1, G * H),
                   .b_hh = matrix(d_b_hh, 1, G * H),
                   .w_hr = {},
                   .peepholes = {}};
    backward_ = {b};
  }

  /// Weights kept packed: the passes that follow use them.
  std::unique_ptr<PackedRecurrent> pack(Precision precision) {
    auto packed = cpu().pack_recurrent(kind, forward_[0].weights, precision, {}, N <= 3);
    forward_[0].packed = packed.get();
    return packed;
  }
  RecurrentForward forward(Precision precision) {
    return {.kind = kind,
            .rows = packing.rows(),
            .x = matrix(x, R, D),
            .precision = precision,
            .directions = forward_};
  }
  RecurrentBackward backward(Precision precision) {
    return {.kind = kind,
            .rows = packing.rows(),
            .x = matrix(x, R, D),
            .precision = precision,
            .d_x = matrix(d_x, R, D),
            .directions = backward_};
  }
  int64_t operations() const { return 2 * R * G * H * (D + H); }
};

/// Arguments B, D, H, T. Inference keeps its weights packed.
void recurrent(benchmark::State& state, Cell cell, bool training, Precision precision) {
  Layer layer(cell, state.range(0), state.range(3), state.range(1), state.range(2));
  const auto packed = training ? nullptr : layer.pack(precision);
  for (auto _ : state) {
    cpu().recurrent_forward(layer.forward(precision));
    if (training) cpu().recurrent_backward(layer.backward(precision));
  }
  report(state, layer.operations() * (training ? 3 : 1));
  const auto steps = static_cast<double>(state.range(3));
  state.counters["s/step"] =
      benchmark::Counter(steps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void register_recurrent() {
  for (const auto& [cell, name] :
       {std::pair{Cell::kRnn, "Rnn"}, {Cell::kLstm, "Lstm"}, {Cell::kGru, "Gru"}}) {
    for (const auto& [precision, suffix] : {std::pair{Precision::kFloat32, ""},
                                            {Precision::kBfloat16, "Bfloat16"},
                                            {Precision::kInt8, "Int8"}}) {
      for (const bool training : {false, true}) {
        if (training && precision == Precision::kInt8) continue;
        auto* bench = benchmark::RegisterBenchmark(
            (name + std::string(training ? "Training" : "Forward") + suffix).c_str(), recurrent, cell,
            training, precision);
        bench->Args({16, 64, 32, 50});  // the lesson's
        for (const int64_t batch : {1, 8, 12, 32}) {
          for (const int64_t hidden : {32, 64, 128, 256, 512, 1024}) bench->Args({batch, hidden, hidden, 64});
        }
        bench->Unit(benchmark::kMicrosecond);
      }
    }
  }
}

/// Adam over an embedding of 95,812 words, the lesson's.
void Adam(benchmark::State& state) {
  const int64_t V = 95'812, D = 64;
  auto p = noise(V * D), g = noise(V * D), m = noise(V * D), v = noise(V * D, 0);
  const OptimizerStep step{.parameter = matrix(p, V, D),
                           .gradient = matrix(g, V, D),
                           .first = matrix(m, V, D),
                           .second = matrix(v, V, D)};
  for (auto _ : state) cpu().optimize(step);
  state.SetBytesProcessed(state.iterations() * V * D * 4 * 7);
}
BENCHMARK(Adam)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rondo

int main(int argc, char** argv) {
  rondo::register_recurrent();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
