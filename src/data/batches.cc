#include "data/batches.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <limits>
#include <mutex>
#include <numeric>
#include <thread>

#include "base/errors.h"
#include "base/random.h"

namespace rondo {
namespace {

using Plan = std::vector<std::vector<int32_t>>;

void check(std::span<const int64_t> lengths, const BatchOptions& options) {
  if (options.batch_size < 1) {
    throw_error<ConfigError>("batch-size must be 1 or more, got {}", options.batch_size);
  }
  if (options.window < 1) {
    throw_error<ConfigError>("the window of batches must be 1 or more, got {}", options.window);
  }
  if (lengths.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    throw_error<DataError>("{} examples, at most {} fit; split the corpus", lengths.size(),
                           std::numeric_limits<int32_t>::max());
  }
}

void shuffle_batches(Plan& plan, const Stream& stream) {
  std::vector<int32_t> order(plan.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, stream);
  Plan shuffled;
  shuffled.reserve(plan.size());
  for (const int32_t batch : order) shuffled.push_back(std::move(plan[batch]));
  plan = std::move(shuffled);
}

}  // namespace

Plan plan_batches(std::span<const int64_t> lengths, const BatchOptions& options) {
  check(lengths, options);
  constexpr uint64_t kPurpose = 0x6261746368;  // "batch": no other use of the seed gets these numbers
  const Stream stream(options.seed, {kPurpose, static_cast<uint64_t>(options.epoch)});
  std::vector<int32_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  if (options.shuffle) shuffle(order, stream.sub(0));

  const auto size = static_cast<int64_t>(order.size());
  const int64_t batch_size = std::min(options.batch_size, std::max<int64_t>(size, 1));
  const int64_t window = std::min(options.window, size / batch_size + 1) * batch_size;
  Plan plan;
  for (int64_t begin = 0; begin < size; begin += window) {
    const int64_t end = std::min(begin + window, size);
    std::stable_sort(order.begin() + begin, order.begin() + end,
                     [&](int32_t a, int32_t b) { return lengths[a] > lengths[b]; });
    for (int64_t first = begin; first < end; first += batch_size) {
      plan.emplace_back(order.begin() + first, order.begin() + std::min(first + batch_size, end));
    }
  }
  if (options.shuffle) shuffle_batches(plan, stream.sub(1));
  return plan;
}

Batch make_batch(const EncodedCorpus& corpus, std::span<const int32_t> examples) {
  std::vector<int64_t> lengths;
  lengths.reserve(examples.size());
  for (const int32_t example : examples) {
    if (example < 0 || example >= corpus.size()) {
      throw_error<ShapeError>("make_batch: example {} of a corpus of {}", example, corpus.size());
    }
    lengths.push_back(corpus.length(example));
  }
  auto packing = std::make_shared<const Packing>(lengths);
  Batch batch{.packing = packing, .ids = std::vector<int32_t>(packing->num_rows()), .examples = {}};
  const PackedRows rows = packing->rows();
  for (int64_t n = 0; n < packing->sequences(); ++n) {
    batch.examples.push_back(examples[packing->order()[n]]);
    const std::span<const int32_t> sequence = corpus.sequence(batch.examples.back());
    for (size_t t = 0; t < sequence.size(); ++t)
      batch.ids[rows.row(static_cast<int64_t>(t), n)] = sequence[t];
  }
  return batch;
}

std::vector<int32_t> batch_labels(const EncodedCorpus& corpus, const Batch& batch) {
  std::vector<int32_t> labels;
  labels.reserve(batch.examples.size());
  for (const int32_t example : batch.examples) {
    const std::span<const int32_t> own = corpus.labels_of(example);
    if (own.size() != 1) {
      throw_error<DataError>("line {}: {} labels, expected one", corpus.lines[example], own.size());
    }
    labels.push_back(own[0]);
  }
  return labels;
}

struct BatchLoader::State {
  State(const EncodedCorpus& corpus_, Plan plan_, int64_t first_, int64_t ahead_)
      : corpus(corpus_), plan(std::move(plan_)), first(first_), ahead(ahead_) {}

  void work();
  bool half_empty() const { return static_cast<int64_t>(ready.size()) <= ahead / 2; }
  // Waits for free places; false if the loader is being destroyed.
  bool deliver(Batch batch);

  const EncodedCorpus& corpus;
  const Plan plan;
  const int64_t first;
  const int64_t ahead;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr error;
  bool ended = false;
  bool stopped = false;
  std::thread thread;
};

void BatchLoader::State::work() {
  std::exception_ptr thrown;
  try {
    for (auto i = static_cast<size_t>(first); i < plan.size(); ++i) {
      if (!deliver(make_batch(corpus, plan[i]))) return;
    }
  } catch (...) {
    thrown = std::current_exception();
  }
  const std::lock_guard lock(mutex);
  error = thrown;
  ended = true;
  changed.notify_all();
}

bool BatchLoader::State::deliver(Batch batch) {
  std::unique_lock lock(mutex);
  // Once full it waits for half the places: woken for every batch it would take the processor from a step.
  if (static_cast<int64_t>(ready.size()) >= ahead) {
    changed.wait(lock, [&] { return stopped || half_empty(); });
  }
  if (stopped) return false;
  ready.push_back(std::move(batch));
  if (ready.size() == 1) changed.notify_all();
  return true;
}

BatchLoader::BatchLoader(const EncodedCorpus& corpus, Plan plan, int64_t first, int64_t ahead) {
  const auto batches = static_cast<int64_t>(plan.size());
  if (first < 0 || first > batches) {
    throw_error<ConfigError>("cannot begin with batch {} of {}; is the run resumed with other data?", first,
                             batches);
  }
  if (ahead < 1) throw_error<ConfigError>("batches prepared ahead must be 1 or more, got {}", ahead);
  state_ = std::make_unique<State>(corpus, std::move(plan), first, ahead);
  state_->thread = std::thread([state = state_.get()] { state->work(); });
}

BatchLoader::~BatchLoader() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
  }
  state_->changed.notify_all();
  state_->thread.join();
}

std::optional<Batch> BatchLoader::next() {
  std::unique_lock lock(state_->mutex);
  state_->changed.wait(lock, [&] { return !state_->ready.empty() || state_->ended; });
  if (state_->ready.empty()) {
    if (state_->error) std::rethrow_exception(state_->error);
    return std::nullopt;
  }
  Batch batch = std::move(state_->ready.front());
  state_->ready.pop_front();
  if (state_->half_empty()) state_->changed.notify_all();
  return batch;
}

int64_t BatchLoader::num_batches() const { return static_cast<int64_t>(state_->plan.size()); }

}  // namespace rondo
