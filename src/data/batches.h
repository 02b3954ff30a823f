// Batches of packed sequences: planned from (seed, epoch), prepared in the background.
//   auto plan = plan_batches(corpus.lengths(), {.batch_size = 32, .seed = 1, .epoch = 3});
//   BatchLoader loader(corpus, plan);  while (auto batch = loader.next()) { ... }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "data/encoded.h"
#include "tensor/packing.h"

namespace rondo {

struct BatchOptions {
  int64_t batch_size = 32;
  bool shuffle = true;  ///< false: windows of the corpus's own order, for evaluation
  uint64_t seed = 1;
  int64_t epoch = 0;
  int64_t window = 50;  ///< batches that are sorted by length together; 1: not sorted beyond a batch
};

/// Example numbers, batch by batch, each example once. Shuffled examples are cut into windows, each window
/// sorted by length and cut into batches (so that a batch's sequences are about as long), and all batches
/// shuffled. Depends on its arguments only. @throws ConfigError if batch_size or window is below 1.
std::vector<std::vector<int32_t>> plan_batches(std::span<const int64_t> lengths, const BatchOptions& options);

/// Sequences as packed rows. R = packing->num_rows(), N = packing->sequences().
struct Batch {
  std::shared_ptr<const Packing> packing;
  std::vector<int32_t> ids;       ///< [R] token of each packed row
  std::vector<int32_t> examples;  ///< [N] number in the corpus of packed sequence n
};

/// Packs the sequences of `examples`.
Batch make_batch(const EncodedCorpus& corpus, std::span<const int32_t> examples);

/// The one label of each packed sequence [N]: for tasks with a single label.
std::vector<int32_t> batch_labels(const EncodedCorpus& corpus, const Batch& batch);

/// Makes the batches of a plan on a thread of its own, a few ahead of who takes them. The corpus must
/// outlive the loader; destroying the loader before the plan's end stops the thread.
class BatchLoader {
 public:
  /// @param first  number of the batch to begin with, to resume within an epoch.
  /// @param ahead  batches that are prepared in advance.
  /// @throws ConfigError if `first` is beyond the plan or `ahead` below 1.
  BatchLoader(const EncodedCorpus& corpus, std::vector<std::vector<int32_t>> plan, int64_t first = 0,
              int64_t ahead = 8);
  ~BatchLoader();
  BatchLoader(const BatchLoader&) = delete;
  BatchLoader& operator=(const BatchLoader&) = delete;

  /// The next batch in the plan's order, or nothing at its end.
  /// What making a batch threw is thrown here, at that batch.
  std::optional<Batch> next();
  int64_t num_batches() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace rondo
