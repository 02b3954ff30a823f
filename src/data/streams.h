// A token stream laid out for truncated backpropagation: side by side in so many streams of equal length, cut
// into chunks of steps. A chunk is a batch of packed segments: where a document ends inside it, a segment
// ends and the next one begins from zeros. Nothing is padded and no token is left out.
//   StreamLayout layout(stream, {.streams = 32, .chunk = 100, .seed = 1, .epoch = 0});
//   for (int64_t c = 0; c < layout.chunks(); ++c) { StreamChunk chunk = layout.chunk(c); ... }
#pragma once

#include <cstdint>
#include <vector>

#include "data/documents.h"
#include "tensor/packing.h"

namespace rondo {

struct StreamOptions {
  int64_t streams = 32;
  int64_t chunk = 100;         ///< steps
  bool random_chunks = false;  ///< lengths drawn as AWD-LSTM draws them, about `chunk`
  bool shuffle = false;        ///< pieces in an order of (seed, epoch)
  uint64_t seed = 1;
  int64_t epoch = 0;
};

struct StreamChunk {
  /// Where a segment's state comes from and goes to.
  struct Segment {
    int64_t stream = 0;
    bool continues = false;  ///< from the state that the stream's last segment left; else zeros
    bool last = false;       ///< of its stream in this chunk: its final state is carried on
  };
  Packing packing;                ///< of the segments
  std::vector<Segment> segments;  ///< in packed order
  std::vector<int32_t> inputs;    ///< [R]
  std::vector<int32_t> targets;   ///< [R]
  int64_t steps = 0;              ///< planned length
};

class StreamLayout {
 public:
  /// `stream` must outlive it. @throws ConfigError for fewer tokens than streams.
  StreamLayout(const TokenStream& stream, const StreamOptions& options);

  int64_t chunks() const { return static_cast<int64_t>(cuts_.size()) - 1; }
  /// @param index  0 .. chunks()-1. Segments of chunk 0 continue nothing.
  StreamChunk chunk(int64_t index) const;

  /// How many chunks an epoch has: the same for every epoch.
  static int64_t chunks(const TokenStream& stream, const StreamOptions& options);

 private:
  struct Run {
    int64_t piece, begin, length;  ///< tokens of a piece
    StreamChunk::Segment segment;
  };
  std::vector<Run> runs_of(int64_t index) const;

  const TokenStream& stream_;
  StreamOptions options_;
  std::vector<int32_t> order_;   ///< of the pieces
  std::vector<int64_t> starts_;  ///< of each piece of the order in the whole, and the end
  std::vector<int64_t> cuts_;    ///< of the chunks in a stream: 0 .. longest
};

}  // namespace rondo
