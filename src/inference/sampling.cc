#include "inference/sampling.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "text/vocabulary.h"

namespace rondo {

namespace {

constexpr SamplingOptions kDefaults;
// Tokens that top-p sorts at first; where they do not reach p, four times as many.
constexpr size_t kFirstSorted = 64;
constexpr double kLeastTemperature = 1e-6;  // its inverse times any score is a float

/// By falling score, ties by rising id: a total order, so that one result only is sorted.
struct Better {
  const std::vector<float>& scores;
  bool operator()(int32_t a, int32_t b) const {
    const float left = scores[static_cast<size_t>(a)], right = scores[static_cast<size_t>(b)];
    return left > right || (left == right && a < b);
  }
};

void refuse(bool given, const char* name) {
  if (given) throw_error<ConfigError>("--{} has no effect beside --greedy; leave one of them out", name);
}

}  // namespace

void SamplingOptions::check() const {
  SamplingOptions copy = *this;
  const OptionList list(copy);
  for (const Option& option : list.all()) option.check(option.get());
  if (temperature < kLeastTemperature) {
    throw_error<ConfigError>("--temperature {} divides by (almost) zero; write --greedy", temperature);
  }
  if (top_p == 0) throw_error<ConfigError>("--top-p 0 keeps no token; write --greedy");
  if (repetition_penalty == 1 && repetition_window != kDefaults.repetition_window) {
    throw_error<ConfigError>("--repetition-window has no effect without --repetition-penalty");
  }
  if (!greedy) return;
  refuse(temperature != kDefaults.temperature, "temperature");
  refuse(top_k != kDefaults.top_k, "top-k");
  refuse(top_p != kDefaults.top_p, "top-p");
}

Sampler::Sampler(const SamplingOptions& options, int64_t vocabulary, const Stream& stream)
    : options_(options), stream_(stream) {
  options_.check();
  const auto size = static_cast<size_t>(vocabulary);
  scores_.resize(size);
  if (!options_.allow_unknown && size > 0) forbid(Vocabulary::kUnknown);
  candidates_.reserve(size);
  weights_.reserve(size);
  if (options_.repetition_penalty != 1) penalized_.resize(size, 0);
}

int32_t Sampler::next(std::span<const float> scores, std::span<const int32_t> written, uint64_t step) {
  take_scores(scores);
  if (options_.repetition_penalty != 1) penalize(written);
  candidates_.clear();
  for (size_t id = 0; id < scores_.size(); ++id) {
    if (std::isfinite(scores_[id])) candidates_.push_back(static_cast<int32_t>(id));
  }
  if (candidates_.empty()) {
    throw_error<DataError>(
        "sampling: no token that may be drawn has a finite score; are the model's weights damaged?");
  }
  if (options_.greedy) {
    keep_best(1);
  } else if (options_.top_k > 0) {
    keep_best(static_cast<size_t>(options_.top_k));
  }
  if (options_.top_p < 1) keep_nucleus();
  weigh();
  return draw(stream_.uniform(step));
}

void Sampler::forbid(int32_t id) {
  if (id < 0 || static_cast<size_t>(id) >= scores_.size()) {
    throw_error<ShapeError>("sampling: id {} of a vocabulary of {}", id, scores_.size());
  }
  forbidden_.push_back(id);
}

void Sampler::take_scores(std::span<const float> scores) {
  if (scores.size() != scores_.size()) {
    throw_error<ShapeError>("sampling: {} scores for a vocabulary of {}", scores.size(), scores_.size());
  }
  std::copy(scores.begin(), scores.end(), scores_.begin());
  for (const int32_t id : forbidden_) scores_[static_cast<size_t>(id)] = -INFINITY;
}

// Once for each token however often it stands there. Source: CTRL, Keskar et al. 2019, section 4.1; a score
// below zero is multiplied, so that the penalty lowers it, too.
void Sampler::penalize(std::span<const int32_t> written) {
  ++call_;
  const auto window = static_cast<size_t>(options_.repetition_window);
  if (window > 0 && written.size() > window) written = written.last(window);
  const auto penalty = static_cast<float>(options_.repetition_penalty);
  for (const int32_t id : written) {
    const auto at = static_cast<size_t>(id);
    if (id < 0 || at >= scores_.size() || penalized_[at] == call_) continue;
    penalized_[at] = call_;
    scores_[at] = scores_[at] > 0 ? scores_[at] / penalty : scores_[at] * penalty;
  }
}

// The best by falling score. What is kept is sorted, so that the bits do not hang on how a library selects.
void Sampler::keep_best(size_t count) {
  count = std::min(count, candidates_.size());
  sort_best(0, count);
  candidates_.resize(count);
}

float Sampler::exponential(int32_t id, float most) const {
  // float: a draw has 24 bits, and the exponential is most of the work of a small vocabulary
  return std::exp((scores_[static_cast<size_t>(id)] - most) * static_cast<float>(1 / options_.temperature));
}

float Sampler::largest_score() const {
  float most = -INFINITY;
  for (const int32_t id : candidates_) most = std::max(most, scores_[static_cast<size_t>(id)]);
  return most;
}

// weights = softmax(scores / temperature) of the candidates; the sum before the division.
double Sampler::weigh() {
  const float most = largest_score();
  weights_.clear();
  double total = 0;
  for (const int32_t id : candidates_) {
    weights_.push_back(exponential(id, most));
    total += weights_.back();
  }
  for (double& weight : weights_) weight /= total;
  return total;
}

// The smallest set of mass p. Only as many are sorted as may be needed: of 30,000 words a few dozen are.
void Sampler::keep_nucleus() {
  const float most = largest_score();
  const double total = weigh();
  double mass = 0;
  for (size_t sorted = 0; sorted < candidates_.size();) {
    const size_t end = std::min(candidates_.size(), std::max(kFirstSorted, 4 * sorted));
    sort_best(sorted, end);
    for (; sorted < end; ++sorted) {
      mass += exponential(candidates_[sorted], most) / total;
      if (mass >= options_.top_p) {
        candidates_.resize(sorted + 1);
        return;
      }
    }
  }
}

// Brings the best of candidates begin .. to begin .. end-1, by falling score.
void Sampler::sort_best(size_t begin, size_t end) {
  const auto at = [this](size_t i) { return candidates_.begin() + static_cast<std::ptrdiff_t>(i); };
  if (end < candidates_.size()) std::nth_element(at(begin), at(end), candidates_.end(), Better{scores_});
  std::sort(at(begin), at(end), Better{scores_});
}

int32_t Sampler::draw(float uniform) const {
  double cumulative = 0;
  int32_t last = candidates_.front();
  for (size_t i = 0; i < candidates_.size(); ++i) {
    if (weights_[i] <= 0) continue;
    last = candidates_[i];
    cumulative += weights_[i];
    if (cumulative > uniform) break;
  }
  return last;  // also where rounding leaves the sum below the number
}

}  // namespace rondo
