#include "data/streams.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/errors.h"
#include "base/random.h"

namespace rondo {

namespace {

constexpr uint64_t kOrderStream = 21, kLengthStream = 22;
constexpr double kHalved = 0.05;  // how often AWD-LSTM halves the length of a chunk
constexpr double kDeviation = 5;
constexpr int64_t kShortest = 5;

int64_t longest_stream(const TokenStream& stream, const StreamOptions& options) {
  return (stream.size() + options.streams - 1) / options.streams;
}

// max(5, N(base, 5)), base halved in a twentieth of the cases: Merity et al. 2017.
double drawn_length(const StreamOptions& options, uint64_t index, const Stream& random) {
  const double base = static_cast<double>(options.chunk) * (random.uniform(4 * index) < kHalved ? 0.5 : 1.0);
  const double length = base + kDeviation * random.normal(2 * index + 1);
  return std::max(static_cast<double>(kShortest), std::floor(length));
}

// As many chunks as lengths of their mean would make, drawn and then stretched so that they fill the stream:
// every epoch has as many.
std::vector<int64_t> random_cuts(int64_t longest, int64_t chunks, const StreamOptions& options) {
  const Stream random(options.seed, {kLengthStream, static_cast<uint64_t>(options.epoch)});
  std::vector<double> sums{0};
  for (int64_t c = 0; c < chunks; ++c) {
    sums.push_back(sums.back() + drawn_length(options, static_cast<uint64_t>(c), random));
  }
  std::vector<int64_t> cuts;
  for (const double sum : sums) {
    cuts.push_back(static_cast<int64_t>(std::llround(sum / sums.back() * static_cast<double>(longest))));
  }
  return cuts;
}

}  // namespace

int64_t StreamLayout::chunks(const TokenStream& stream, const StreamOptions& options) {
  const int64_t longest = longest_stream(stream, options);
  if (!options.random_chunks) return (longest + options.chunk - 1) / options.chunk;
  const double mean = static_cast<double>(options.chunk) * (1 - kHalved / 2);
  return std::max<int64_t>(1, std::llround(static_cast<double>(longest) / mean));
}

StreamLayout::StreamLayout(const TokenStream& stream, const StreamOptions& options)
    : stream_(stream), options_(options), order_(static_cast<size_t>(stream.pieces())) {
  if (stream.size() < options.streams) {
    throw_error<ConfigError>("{} tokens cannot fill {} streams; lower --batch", stream.size(),
                             options.streams);
  }
  std::iota(order_.begin(), order_.end(), 0);
  if (options.shuffle) {
    shuffle(order_, Stream(options.seed, {kOrderStream, static_cast<uint64_t>(options.epoch)}));
  }
  starts_.push_back(0);
  for (const int32_t piece : order_) starts_.push_back(starts_.back() + stream.length(piece));
  const int64_t longest = longest_stream(stream, options);
  const int64_t count = chunks(stream, options);
  if (options.random_chunks) {
    cuts_ = random_cuts(longest, count, options);
  } else {
    for (int64_t c = 0; c <= count; ++c) cuts_.push_back(std::min(c * options.chunk, longest));
  }
}

std::vector<StreamLayout::Run> StreamLayout::runs_of(int64_t index) const {
  std::vector<Run> runs;
  for (int64_t b = 0; b < options_.streams; ++b) {
    const int64_t from = stream_.size() * b / options_.streams;
    const int64_t to = stream_.size() * (b + 1) / options_.streams;
    int64_t at = std::min(from + cuts_[static_cast<size_t>(index)], to);
    const int64_t end = std::min(from + cuts_[static_cast<size_t>(index) + 1], to);
    const size_t first = runs.size();
    auto i = std::upper_bound(starts_.begin(), starts_.end(), at) - starts_.begin() - 1;
    while (at < end) {
      const int64_t begin = at - starts_[static_cast<size_t>(i)];
      const int64_t length = std::min(end, starts_[static_cast<size_t>(i) + 1]) - at;
      // A piece's own beginning, and the beginning of its stream, start from zeros.
      const bool continues = begin > 0 && at > from;
      runs.push_back({order_[static_cast<size_t>(i)], begin, length, {.stream = b, .continues = continues}});
      at += length;
      ++i;
    }
    if (runs.size() > first) runs.back().segment.last = true;
  }
  return runs;
}

StreamChunk StreamLayout::chunk(int64_t index) const {
  const std::vector<Run> runs = runs_of(index);
  std::vector<int64_t> lengths;
  for (const Run& run : runs) lengths.push_back(run.length);
  StreamChunk chunk{.packing = Packing(lengths)};
  chunk.steps = cuts_[static_cast<size_t>(index) + 1] - cuts_[static_cast<size_t>(index)];
  chunk.inputs.resize(static_cast<size_t>(chunk.packing.num_rows()));
  chunk.targets.resize(chunk.inputs.size());
  for (int64_t n = 0; n < chunk.packing.sequences(); ++n) {
    const Run& run = runs[static_cast<size_t>(chunk.packing.order()[static_cast<size_t>(n)])];
    chunk.segments.push_back(run.segment);
    for (int64_t t = 0; t < run.length; ++t) {
      const auto row = static_cast<size_t>(chunk.packing.rows().row(t, n));
      chunk.inputs[row] = stream_.input(run.piece, run.begin + t);
      chunk.targets[row] = stream_.target(run.piece, run.begin + t);
    }
  }
  return chunk;
}

}  // namespace rondo
