// The output layer of a language model, forward and backward: the loss that never holds all logits beside
// linear() and softmax_cross_entropy(), and the adaptive softmax. Time, GF/s and the most memory above the
// layer's own. On two threads, or on RONDO_BENCH_THREADS.
//   bench/softmax_bench --benchmark_min_time=3
#include <benchmark/benchmark.h>

#include <cstdlib>

#include "layers/softmax_output.h"
#include "tensor/device.h"
#include "tensor/memory_pool.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

Backend& cpu() {
  static const char* threads = std::getenv("RONDO_BENCH_THREADS");
  static const auto backend = open_device("cpu", threads == nullptr ? 2 : std::atoi(threads));
  return *backend;
}

// Ids as a text has them: half of all below a hundredth of the vocabulary.
std::vector<int32_t> text_like(int64_t count, int64_t vocabulary) {
  std::vector<int32_t> ids;
  const Stream stream(3);
  for (int64_t i = 0; i < count; ++i) {
    const auto below = static_cast<uint64_t>(stream.uniform(2 * i) < 0.5 ? 1 + vocabulary / 100 : vocabulary);
    ids.push_back(static_cast<int32_t>(stream.below(2 * i + 1, below)));
  }
  return ids;
}

struct Case {
  int64_t rows, input, vocabulary;
  std::vector<int32_t> targets;
  Tensor x;
  explicit Case(const benchmark::State& state)
      : rows(state.range(0)),
        input(state.range(1)),
        vocabulary(state.range(2)),
        targets(text_like(rows, vocabulary)),
        x({rows, input}) {
    initialize_normal(x, 0, 0.5, Stream(4));
  }
};

enum class Path { kFused, kPlain };

Variable loss_of(const Case& bench, const SoftmaxOutput& output, ParameterSet& set, Tape& tape, Path path) {
  const Variable x = tape.input(bench.x, true);
  const double scale = 1.0 / static_cast<double>(bench.rows);
  if (path == Path::kFused) return output.loss(x, bench.targets, scale);
  const Variable logits =
      linear(x, tape.parameter(set.find("decoder.weight")), tape.parameter(set.find("decoder.bias")));
  const Tensor weights({1, bench.rows});
  weights.fill(scale);
  return weighted_sum(softmax_cross_entropy(logits, bench.targets).losses, weights);
}

void run(benchmark::State& state, Path path, std::vector<int64_t> cutoffs, bool recording) {
  const Case bench(state);
  ParameterSet set;
  SoftmaxOutput output(set,
                       {.input = bench.input, .vocabulary = bench.vocabulary, .cutoffs = std::move(cutoffs)});
  output.initialize(Initialization::kTorch, Stream(1));
  MemoryPool& pool = MemoryPool::instance();
  pool.trim();
  const int64_t before = pool.used_bytes();
  for (auto _ : state) {
    set.clear_gradients();
    Tape tape(cpu(), {.recording = recording, .training = recording});
    const Variable loss = loss_of(bench, output, set, tape, path);
    if (recording) tape.backward(loss);
    benchmark::DoNotOptimize(loss.value().data<float>()[0]);
  }
  state.counters["MiB"] = static_cast<double>(pool.peak_bytes() - before) / (1 << 20);
  state.counters["rows/s"] =
      benchmark::Counter(static_cast<double>(bench.rows), benchmark::Counter::kIsIterationInvariantRate);
  if (output.adaptive()) return;
  const double operations =
      (recording ? 6.0 : 2.0) * static_cast<double>(bench.rows * bench.input * bench.vocabulary);
  state.counters["GF/s"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"R", "D", "V"})->Unit(benchmark::kMillisecond)->UseRealTime();
  bench->Args({1400, 400, 30000})->Args({2500, 128, 67})->Args({1024, 256, 8000});
}
void LargeVocabulary(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"R", "D", "V"})->Unit(benchmark::kMillisecond)->UseRealTime()->Args({1400, 400, 30000});
}

void TrainFused(benchmark::State& state) { run(state, Path::kFused, {}, true); }
void TrainPlain(benchmark::State& state) { run(state, Path::kPlain, {}, true); }
void EvaluateFused(benchmark::State& state) { run(state, Path::kFused, {}, false); }
void EvaluatePlain(benchmark::State& state) { run(state, Path::kPlain, {}, false); }
void TrainAdaptive(benchmark::State& state) { run(state, Path::kFused, {2000, 10000}, true); }
void EvaluateAdaptive(benchmark::State& state) { run(state, Path::kFused, {2000, 10000}, false); }

BENCHMARK(TrainFused)->Apply(Shapes);
BENCHMARK(TrainPlain)->Apply(Shapes);
BENCHMARK(EvaluateFused)->Apply(Shapes);
BENCHMARK(EvaluatePlain)->Apply(Shapes);
BENCHMARK(TrainAdaptive)->Apply(LargeVocabulary);
BENCHMARK(EvaluateAdaptive)->Apply(LargeVocabulary);

}  // namespace
}  // namespace rondo

BENCHMARK_MAIN();
