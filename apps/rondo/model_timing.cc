#include "model_timing.h"

#include <algorithm>
#include <chrono>

#include "inference/predictor.h"
#include "layers/recurrent_stream.h"
#include "training/arithmetic.h"

namespace rondo::app {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point moment) {
  return std::chrono::duration<double>(Clock::now() - moment).count();
}

// Seconds of each text alone, one after another and over again until the time is up.
std::vector<double> time_one_by_one(const ClassifierModel& model, Backend& backend,
                                    const std::vector<std::string>& texts, double seconds) {
  predict_texts(model, backend, std::span(texts).first(1));  // memory and caches are warm from here on
  std::vector<double> times;
  const Clock::time_point begun = Clock::now();
  for (size_t i = 0; i == 0 || seconds_since(begun) < seconds; ++i) {
    const Clock::time_point start = Clock::now();
    predict_texts(model, backend, std::span(texts).subspan(i % texts.size(), 1));
    times.push_back(seconds_since(start));
  }
  std::sort(times.begin(), times.end());
  return times;
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1, static_cast<size_t>(share * static_cast<double>(sorted.size())))];
}

int64_t count_tokens(const ClassifierModel& model, std::span<const std::string> texts) {
  int64_t tokens = 0;
  for (const std::string& text : texts) tokens += static_cast<int64_t>(model.encode(text).size());
  return tokens;
}

}  // namespace

ModelTiming time_model(const ClassifierModel& model, Backend& backend, const std::vector<std::string>& texts,
                       double seconds) {
  ModelTiming timing{.threads = backend.threads().threads(), .peak = measured_peak(backend)};
  const std::vector<double> alone = time_one_by_one(model, backend, texts, seconds / 2);
  timing.median_ms = 1e3 * quantile(alone, 0.5);
  timing.p99_ms = 1e3 * quantile(alone, 0.99);
  // As many texts at a time as surely fit into the time that is left: batches make no text slower.
  const double affordable = seconds / 4 / quantile(alone, 0.5);
  const auto count = static_cast<size_t>(std::clamp(affordable, 1.0, static_cast<double>(texts.size())));
  const auto some = std::span(texts).first(count);
  std::vector<double> times;
  const Clock::time_point begun = Clock::now();
  do {
    const Clock::time_point start = Clock::now();
    predict_texts(model, backend, some);
    times.push_back(seconds_since(start));
  } while (seconds_since(begun) < seconds / 2);
  std::sort(times.begin(), times.end());
  const double once = quantile(times, 0.5);
  const int64_t tokens = count_tokens(model, some);
  const auto num_texts = static_cast<int64_t>(count);
  timing.texts_per_second = static_cast<double>(count) / once;
  timing.tokens_per_second = static_cast<double>(tokens) / once;
  timing.rate = arithmetic_of(model.options(), model.labels.size()).forward(tokens, num_texts) / once;
  return timing;
}

std::optional<double> time_stream(const ClassifierModel& model, Backend& backend, Precision precision,
                                  const std::vector<std::string>& texts, double seconds) {
  const ClassifierNetwork& network = *model.network;
  if (network.options().recurrent.bidirectional) return std::nullopt;
  RecurrentStream stream(network.recurrent(), network.embedding().table().value, backend,
                         prepare_streams(model, backend, precision));
  std::vector<double> times;
  const Clock::time_point begun = Clock::now();
  for (size_t i = 0; i < texts.size() || times.empty(); ++i) {
    const std::vector<int32_t> ids = model.encode(texts[i % texts.size()]);
    if (ids.empty() && i < texts.size()) continue;
    const std::vector<int32_t> read = ids.empty() ? std::vector<int32_t>{Vocabulary::kUnknown} : ids;
    const Clock::time_point start = Clock::now();
    for (const int32_t id : read) stream.read(std::span(&id, 1));
    times.push_back(1e6 * seconds_since(start) / static_cast<double>(read.size()));
    if (seconds_since(begun) > seconds) break;
  }
  std::sort(times.begin(), times.end());
  return quantile(times, 0.5);
}

std::vector<std::string> made_up_texts(const ClassifierModel& model, int64_t count) {
  constexpr uint64_t kShortest = 8, kLongest = 72;
  const Stream stream(1, {static_cast<uint64_t>(count)});
  const auto words = static_cast<uint64_t>(model.vocabulary.size());
  std::vector<std::string> texts;
  for (uint64_t i = 0; i < static_cast<uint64_t>(count); ++i) {
    const Stream own = stream.sub(i);
    const uint64_t length = kShortest + own.below(0, kLongest - kShortest + 1);
    std::vector<std::string> tokens;
    for (uint64_t t = 1; t <= length; ++t) {
      // Word 0 is the unknown word.
      const uint64_t id = words > 1 ? 1 + own.below(t, words - 1) : 0;
      tokens.push_back(model.vocabulary.token(static_cast<int32_t>(id)));
    }
    texts.push_back(model.tokenizer->join(tokens));
  }
  return texts;
}

}  // namespace rondo::app
