#include "diagnostics/reversing.h"

#include <algorithm>

#include "base/errors.h"
#include "training/optimizer.h"
#include "training/schedule.h"
#include "training/translator_evaluation.h"

namespace rondo::diagnostics {

namespace {

constexpr int32_t kEnd = 1, kFirstDigit = 2;
constexpr int64_t kVocabulary = 12, kTests = 500;

std::vector<TokenPair> make_pairs(const ReversingOptions& options, const Stream& stream, int64_t count) {
  std::vector<TokenPair> pairs(static_cast<size_t>(count));
  const auto lengths = static_cast<uint64_t>(options.longest - options.shortest + 1);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const Stream own = stream.sub(i);
    const int64_t length = options.shortest + static_cast<int64_t>(own.below(0, lengths));
    for (int64_t t = 0; t < length; ++t) {
      pairs[i].source.push_back(kFirstDigit +
                                static_cast<int32_t>(own.below(static_cast<uint64_t>(t) + 1, 10)));
    }
    pairs[i].target.assign(pairs[i].source.rbegin(), pairs[i].source.rend());
    pairs[i].source.push_back(kEnd);
  }
  return pairs;
}

TranslatorBatch batch_of(const std::vector<TokenPair>& pairs) {
  std::vector<const TokenPair*> all;
  for (const TokenPair& pair : pairs) all.push_back(&pair);
  return make_translator_batch(all, kEnd);
}

double exact_share(const TranslatorNetwork& network, Backend& backend, const std::vector<TokenPair>& tests) {
  std::vector<const std::vector<int32_t>*> sources;
  for (const TokenPair& pair : tests) sources.push_back(&pair.source);
  const auto told = translate_greedily(network, backend, sources, kEnd);
  int64_t right = 0;
  for (size_t i = 0; i < tests.size(); ++i) right += told[i] == tests[i].target;
  return static_cast<double>(right) / static_cast<double>(tests.size());
}

// Step t of a string of L digits tells the digit at L-1-t.
double diagonal_share(const TranslatorNetwork& network, Backend& backend,
                      const std::vector<TokenPair>& tests) {
  const TranslatorBatch batch = batch_of(tests);
  Tape tape(backend);
  const Tensor weights = network.forward(tape, batch).attention;
  if (!weights) return 0;
  int64_t right = 0, digits = 0;
  const PackedRows rows = batch.target.rows();
  for (int64_t n = 0; n < rows.sequences; ++n) {
    const int64_t length = batch.target.length(n) - 1;
    for (int64_t t = 0; t < length; ++t, ++digits) {
      const float* row = weights.data<float>() + rows.row(t, n) * weights.dim(1);
      right += std::max_element(row, row + weights.dim(1)) - row == length - 1 - t;
    }
  }
  return static_cast<double>(right) / static_cast<double>(digits);
}

}  // namespace

std::vector<ReversingPoint> run_reversing(const ReversingOptions& options, Backend& backend,
                                          const std::function<void(const ReversingPoint&)>& tell) {
  if (options.shortest > options.longest) {
    throw_error<ConfigError>("--shortest {} is above --longest {}", options.shortest, options.longest);
  }
  TranslatorNetwork network({.embedding = 32,
                             .cell = Cell::kGru,
                             .hidden = options.hidden,
                             .attention = options.attention,
                             .input_feeding = options.input_feeding},
                            kVocabulary, kVocabulary);
  const auto seed = static_cast<uint64_t>(options.seed);
  network.initialize(Stream(seed, {1}));
  Optimizer optimizer(backend, network.parameters(), {.clip = 1});
  const Schedule schedule({.schedule = ScheduleKind::kOneCycle});
  const std::vector<TokenPair> tests = make_pairs(options, Stream(0, {2}), kTests);
  std::vector<ReversingPoint> curve;
  for (int64_t update = 1; update <= options.updates; ++update) {
    const TranslatorBatch batch =
        batch_of(make_pairs(options, Stream(seed, {3, static_cast<uint64_t>(update)}), options.batch));
    network.parameters().clear_gradients();
    Tape tape(backend, {.recording = true, .training = true});
    const Variable loss = network.loss(network.forward(tape, batch), batch.targets,
                                       1 / static_cast<double>(batch.num_targets()));
    tape.backward(loss);
    optimizer.step(schedule.rate(options.lr, update - 1, options.updates));
    if (update % options.evaluate_every != 0 && update != options.updates) continue;
    optimizer.settle();
    curve.push_back({.update = update,
                     .loss = loss.value().at(0),
                     .exact = exact_share(network, backend, tests),
                     .diagonal = diagonal_share(network, backend, tests)});
    tell(curve.back());
  }
  return curve;
}

}  // namespace rondo::diagnostics
