#include "inference/beam_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/errors.h"

namespace rondo {

namespace {

constexpr int32_t kNone = -1;

/// All tokens of all hypotheses of a sentence as a tree; what nothing goes on from gives its attention back.
class TokenTree {
 public:
  /// A leaf below `parent`, held by one.
  int32_t add(int32_t parent, int32_t token, std::span<const float> attention) {
    if (parent != kNone) ++nodes_[static_cast<size_t>(parent)].held;
    nodes_.push_back({.parent = parent,
                      .token = token,
                      .held = 1,
                      .attention = std::vector<float>(attention.begin(), attention.end())});
    return static_cast<int32_t>(nodes_.size()) - 1;
  }

  void release(int32_t node) {
    while (node != kNone && --nodes_[static_cast<size_t>(node)].held == 0) {
      Node& freed = nodes_[static_cast<size_t>(node)];
      freed.attention = {};
      node = freed.parent;
    }
  }

  std::vector<int32_t> ids(int32_t node) const {
    std::vector<int32_t> ids;
    for (; node != kNone; node = nodes_[static_cast<size_t>(node)].parent) {
      ids.push_back(nodes_[static_cast<size_t>(node)].token);
    }
    std::ranges::reverse(ids);
    return ids;
  }

  /// Of `count` tokens up to `node`, the first one's first.
  std::vector<float> attention(int32_t node, int64_t count, int64_t source) const {
    std::vector<float> rows(static_cast<size_t>(count * source));
    for (; node != kNone; node = nodes_[static_cast<size_t>(node)].parent) {
      std::ranges::copy(nodes_[static_cast<size_t>(node)].attention, rows.begin() + --count * source);
    }
    return rows;
  }

 private:
  struct Node {
    int32_t parent = kNone;
    int32_t token = 0;
    int32_t held = 0;  // children and hypotheses that stand here
    std::vector<float> attention;
  };
  std::vector<Node> nodes_;
};

/// A continuation of an active hypothesis by a token.
struct Candidate {
  double log_probability = 0;
  int32_t parent = 0;  // its number among the active ones
  int32_t token = 0;
};

bool better(const Candidate& a, const Candidate& b) {
  if (a.log_probability != b.log_probability) return a.log_probability > b.log_probability;
  return a.parent != b.parent ? a.parent < b.parent : a.token < b.token;
}

/// The best few of all that are added.
class BestCandidates {
 public:
  explicit BestCandidates(size_t most) : most_(most) {}

  void add(const Candidate& candidate) {
    if (heap_.size() == most_) {
      if (!better(candidate, heap_.front())) return;
      std::ranges::pop_heap(heap_, better);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::ranges::push_heap(heap_, better);
  }
  /// What a candidate must reach; below it add() need not be asked.
  double threshold() const {
    return heap_.size() < most_ ? -std::numeric_limits<double>::infinity() : heap_.front().log_probability;
  }
  /// The best first.
  std::vector<Candidate> take() {
    std::ranges::sort_heap(heap_, better);
    return std::move(heap_);
  }

 private:
  size_t most_;
  std::vector<Candidate> heap_;  // the worst is the front
};

// A float that is not above the value, however it is rounded.
float at_most(double value) {
  return std::nextafter(static_cast<float>(value), -std::numeric_limits<float>::infinity());
}

// Of lanes side by side, which the compiler makes vectors of; a NaN is passed over.
float greatest(std::span<const float> values) {
  constexpr size_t kLanes = 16;
  std::array<float, kLanes> most;
  most.fill(-std::numeric_limits<float>::infinity());
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      most[lane] = most[lane] < values[i + lane] ? values[i + lane] : most[lane];
    }
  }
  for (; i < values.size(); ++i) most[0] = std::max(most[0], values[i]);
  return *std::ranges::max_element(most);
}

/// The search of one sentence.
class SentenceSearch {
 public:
  SentenceSearch(const BeamOptions& options, int64_t source_length, int32_t end)
      : options_(&options),
        source_length_(source_length),
        max_length_(options.max_length(source_length)),
        end_(end),
        keep_(options.keep_attention || options.coverage > 0) {}

  int64_t rows() const { return static_cast<int64_t>(active_.size()); }
  int32_t last_token(int64_t row) const { return active_[static_cast<size_t>(row)].token; }

  /// @param begin  this sentence's first row in the step.
  /// @param rows   gets the rows of the step that go on, in the order of this sentence's next rows.
  /// @return what it kept.
  std::vector<Candidate> advance(const SearchStep& step, int64_t begin, std::vector<int32_t>& rows) {
    std::vector<Candidate> chosen = choose(step, begin);
    const auto before = std::exchange(active_, {});
    ++length_;
    for (const Candidate& candidate : chosen) {
      const int64_t row = begin + candidate.parent;
      const int32_t parent = before[static_cast<size_t>(candidate.parent)].node;
      const int32_t node = tree_.add(parent, candidate.token, attention_of(step, row));
      if (candidate.token == end_) {
        finish(node, candidate.log_probability);
        tree_.release(node);
        continue;
      }
      active_.push_back(
          {.log_probability = candidate.log_probability, .node = node, .token = candidate.token});
      rows.push_back(static_cast<int32_t>(row));
    }
    if (active_.empty() && finished_.empty()) give_up(before.front());
    for (const Active& active : before) tree_.release(active.node);
    if (cannot_win()) drop_active(rows);
    return chosen;
  }

  std::vector<BeamChoice> choices(const std::vector<Candidate>& chosen) const {
    std::vector<BeamChoice> choices;
    for (const Candidate& candidate : chosen) {
      choices.push_back({.parent = candidate.parent,
                         .token = candidate.token,
                         .log_probability = candidate.log_probability,
                         .score = candidate.log_probability / length_penalty(length_, options_->alpha),
                         .ended = candidate.token == end_});
    }
    return choices;
  }

  std::vector<Hypothesis> take() { return std::move(finished_); }

 private:
  struct Active {
    double log_probability = 0;
    int32_t node = kNone;
    int32_t token = 0;
  };

  std::vector<Candidate> choose(const SearchStep& step, int64_t begin) const {
    BestCandidates best(static_cast<size_t>(options_->beam));
    for (int32_t parent = 0; parent < rows(); ++parent) {
      const float* row = step.log_probabilities.matrix().row<float>(begin + parent);
      const auto vocabulary = static_cast<size_t>(step.log_probabilities.dim(1));
      if (length_ >= max_length_) {
        offer(best, parent, end_, row[end_]);
      } else {
        choose_from({row, vocabulary}, parent, best);
      }
    }
    return best.take();
  }

  // Most tokens are far too improbable: a block of them is passed over by its greatest.
  void choose_from(std::span<const float> row, int32_t parent, BestCandidates& best) const {
    constexpr size_t kBlock = 64;
    const double before = active_[static_cast<size_t>(parent)].log_probability;
    float bar = at_most(best.threshold() - before);
    for (size_t first = 0; first < row.size(); first += kBlock) {
      const std::span<const float> block = row.subspan(first, std::min(kBlock, row.size() - first));
      if (!(greatest(block) >= bar)) continue;
      for (size_t i = 0; i < block.size(); ++i) {
        const auto token = static_cast<int32_t>(first + i);
        if (!(block[i] >= bar) || !allowed(token)) continue;
        offer(best, parent, token, block[i]);
        bar = at_most(best.threshold() - before);
      }
    }
  }

  // A NaN and a probability of 0 are never above it.
  void offer(BestCandidates& best, int32_t parent, int32_t token, float log_probability) const {
    const double sum = active_[static_cast<size_t>(parent)].log_probability + log_probability;
    if (!(sum > -std::numeric_limits<double>::infinity())) return;
    best.add({.log_probability = sum, .parent = parent, .token = token});
  }

  bool allowed(int32_t token) const {
    if (token == end_) return length_ >= options_->min_length;
    return std::ranges::find(options_->forbidden, token) == options_->forbidden.end();
  }

  std::span<const float> attention_of(const SearchStep& step, int64_t row) const {
    if (!keep_ || !step.attention) return {};
    return {step.attention.matrix().row<float>(row), static_cast<size_t>(source_length_)};
  }

  Hypothesis hypothesis(int32_t node, double log_probability) const {
    Hypothesis made{.ids = tree_.ids(node), .log_probability = log_probability, .attention = {}};
    const auto tokens = static_cast<int64_t>(made.ids.size());
    if (keep_) made.attention = tree_.attention(node, tokens, source_length_);
    made.score = log_probability / length_penalty(tokens, options_->alpha);
    if (options_->coverage > 0) {
      made.score += coverage_penalty(made.attention, source_length_, options_->coverage);
    }
    if (!options_->keep_attention) made.attention = {};
    return made;
  }

  void finish(int32_t node, double log_probability) {
    Hypothesis made = hypothesis(node, log_probability);
    made.ids.pop_back();
    const auto place = std::ranges::upper_bound(finished_, made.score, std::greater<>(), &Hypothesis::score);
    finished_.insert(place, std::move(made));
    if (static_cast<int64_t>(finished_.size()) > options_->n_best) finished_.pop_back();
  }

  // Every continuation has probability 0: what stands there is all that there is.
  void give_up(const Active& active) {
    finished_.push_back(hypothesis(active.node, active.log_probability));
    finished_.back().ended = false;
  }

  bool cannot_win() const {
    if (active_.empty() || static_cast<int64_t>(finished_.size()) < options_->n_best) return false;
    const double bound = active_.front().log_probability / length_penalty(max_length_ + 1, options_->alpha);
    return finished_.back().score >= bound;
  }

  void drop_active(std::vector<int32_t>& rows) {
    rows.resize(rows.size() - active_.size());
    active_.clear();
  }

  const BeamOptions* options_;
  int64_t source_length_;
  int64_t max_length_;
  int32_t end_;
  bool keep_;
  int64_t length_ = 0;                           // tokens that the active hypotheses have
  std::vector<Active> active_{{.token = end_}};  // the most probable first
  std::vector<Hypothesis> finished_;             // the best first
  TokenTree tree_;
};

}  // namespace

void BeamOptions::check() const {
  if (beam < 1 || beam > kMostHypotheses || n_best < 1) {
    throw_error<ConfigError>("beam and n-best must be from 1 to {}, got {} and {}", kMostHypotheses, beam,
                             n_best);
  }
  if (n_best > beam) {
    throw_error<ConfigError>(
        "n-best is {}, but beam {}: a search that follows {} finds no more; raise --beam", n_best, beam,
        beam);
  }
}

int64_t BeamOptions::max_length(int64_t source_length) const {
  constexpr double kMost = 1e9;
  const double most = max_ratio * static_cast<double>(source_length) + static_cast<double>(max_extra);
  return static_cast<int64_t>(std::min(most, kMost));
}

double length_penalty(int64_t tokens, double alpha) {
  return std::pow((5.0 + static_cast<double>(tokens)) / 6.0, alpha);
}

double coverage_penalty(std::span<const float> attention, int64_t source_length, double weight) {
  constexpr double kLeast = 1e-6;  // log 0 would make all hypotheses alike
  const auto width = static_cast<size_t>(source_length);
  double sum = 0;
  for (size_t s = 0; s < width; ++s) {
    double mass = 0;
    for (size_t at = s; at < attention.size(); at += width) mass += attention[at];
    sum += std::log(std::clamp(mass, kLeast, 1.0));
  }
  return weight * sum;
}

std::vector<std::vector<Hypothesis>> beam_search(SearchModel& model, const BeamOptions& options,
                                                 const BeamObserver& observer) {
  options.check();
  std::vector<SentenceSearch> searches;
  for (int64_t s = 0; s < model.sentences(); ++s) {
    searches.emplace_back(options, model.source_length(s), model.end());
  }
  std::vector<int32_t> previous(searches.size(), model.end()), rows;
  while (!previous.empty()) {
    const SearchStep step = model.step(previous);
    rows.clear();
    previous.clear();
    int64_t begin = 0;
    for (size_t s = 0; s < searches.size(); ++s) {
      SentenceSearch& search = searches[s];
      const int64_t count = search.rows();
      if (count > 0) {
        const auto chosen = search.advance(step, begin, rows);
        if (observer) observer(static_cast<int64_t>(s), search.choices(chosen));
      }
      begin += count;
      for (int64_t row = 0; row < search.rows(); ++row) previous.push_back(search.last_token(row));
    }
    if (!previous.empty()) model.select(rows);
  }
  std::vector<std::vector<Hypothesis>> found;
  for (SentenceSearch& search : searches) found.push_back(search.take());
  return found;
}

}  // namespace rondo
