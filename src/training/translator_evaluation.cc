#include "training/translator_evaluation.h"

#include <algorithm>
#include <numeric>

#include "training/translation_metrics.h"

namespace rondo {

namespace {

constexpr int64_t kPairsTogether = 64;

// Never the unknown token: no translation shows it.
int32_t best_of(const Tensor& scores, int64_t row) {
  const float* begin = scores.data<float>() + row * scores.dim(1);
  const float* best = std::max_element(begin + Vocabulary::kUnknown + 1, begin + scores.dim(1));
  return static_cast<int32_t>(best - begin);
}

// Some sources side by side, until each has come to its end.
class GreedyBatch {
 public:
  GreedyBatch(const TranslatorNetwork& network, Backend& backend, int32_t target_end)
      : network_(network), backend_(backend), end_(target_end) {}

  /// @param sources  places in `results` of sources; longest first.
  void run(std::span<const std::vector<int32_t>* const> sources, std::span<const int32_t> chosen,
           std::vector<std::vector<int32_t>>& results) {
    encode(sources, chosen);
    std::vector<int32_t> alive(chosen.size());
    std::iota(alive.begin(), alive.end(), 0);
    std::vector<int32_t> previous(alive.size(), end_);
    DecoderState state = network_.begin(memory_, alive);
    while (!alive.empty()) {
      Tape tape(backend_);
      const DecoderStep step = network_.step(tape, memory_, state, previous, alive);
      std::vector<int32_t> going, rows, tokens;
      for (size_t i = 0; i < alive.size(); ++i) {
        const int32_t token = best_of(step.log_probabilities, static_cast<int64_t>(i));
        if (token == end_) continue;
        std::vector<int32_t>& result = results[static_cast<size_t>(chosen[static_cast<size_t>(alive[i])])];
        result.push_back(token);
        if (static_cast<int64_t>(result.size()) >= 2 * memory_.packing.length(alive[i]) + 10) continue;
        going.push_back(alive[i]);
        rows.push_back(static_cast<int32_t>(i));
        tokens.push_back(token);
      }
      state = TranslatorNetwork::select(step.state, rows);
      alive = std::move(going);
      previous = std::move(tokens);
    }
  }

 private:
  void encode(std::span<const std::vector<int32_t>* const> sources, std::span<const int32_t> chosen) {
    std::vector<const std::vector<int32_t>*> together;
    for (const int32_t i : chosen) together.push_back(sources[static_cast<size_t>(i)]);
    const PackedSources packed = pack_sources(together);
    Tape tape(backend_);
    memory_ = network_.encode(tape, packed.ids, packed.packing);
  }

  const TranslatorNetwork& network_;
  Backend& backend_;
  int32_t end_;
  TranslatorMemory memory_;
};

double nats_of(const TranslatorModel& model, Backend& backend, std::span<const TokenPair* const> pairs) {
  const TranslatorBatch batch = make_translator_batch(pairs, model.target.end());
  Tape tape(backend);
  const Tensor losses = model.network->losses(model.network->forward(tape, batch), batch.targets);
  double nats = 0;
  for (const float loss : losses.values<float>()) nats += loss;
  return nats;
}

}  // namespace

std::vector<std::vector<int32_t>> translate_greedily(const TranslatorNetwork& network, Backend& backend,
                                                     std::span<const std::vector<int32_t>* const> sources,
                                                     int32_t target_end, int64_t batch) {
  std::vector<int32_t> order(sources.size());
  std::iota(order.begin(), order.end(), 0);
  // Longest first, ties in their order: a batch's packed order is the order here.
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return sources[static_cast<size_t>(a)]->size() > sources[static_cast<size_t>(b)]->size();
  });
  std::vector<std::vector<int32_t>> results(sources.size());
  GreedyBatch greedy(network, backend, target_end);
  const auto together = static_cast<size_t>(std::max<int64_t>(1, batch));
  for (size_t first = 0; first < order.size(); first += together) {
    greedy.run(sources, std::span(order).subspan(first, std::min(together, order.size() - first)), results);
  }
  return results;
}

TranslatorEvaluation measure_loss(const TranslatorModel& model, Backend& backend,
                                  const std::vector<TokenPair>& pairs) {
  TranslatorEvaluation result{.pairs = static_cast<int64_t>(pairs.size())};
  std::vector<const TokenPair*> all;
  for (const TokenPair& pair : pairs) {
    all.push_back(&pair);
    result.tokens += static_cast<int64_t>(pair.target.size()) + 1;
  }
  for (size_t first = 0; first < all.size(); first += kPairsTogether) {
    const size_t count = std::min<size_t>(kPairsTogether, all.size() - first);
    result.nats += nats_of(model, backend, std::span(all).subspan(first, count));
  }
  return result;
}

TranslatorEvaluation evaluate_translator(const TranslatorModel& model, Backend& backend,
                                         const std::vector<TokenPair>& pairs,
                                         const std::vector<std::string>& references) {
  TranslatorEvaluation result = measure_loss(model, backend, pairs);
  std::vector<const std::vector<int32_t>*> sources;
  for (const TokenPair& pair : pairs) sources.push_back(&pair.source);
  const auto translations =
      translate_greedily(*model.network, backend, sources, model.target.end(), kPairsTogether);
  Bleu bleu;
  for (size_t i = 0; i < translations.size(); ++i) {
    bleu.add(model.decode_target(translations[i]), std::span(&references[i], 1));
  }
  result.bleu = bleu.score().score;
  return result;
}

}  // namespace rondo
