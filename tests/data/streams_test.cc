#include "data/streams.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "rondo/errors.h"

namespace rondo {
namespace {

// Pieces of these lengths; token i is i, so that each place can be told.
TokenStream numbers(const std::vector<int64_t>& lengths) {
  TokenStream stream;
  int64_t total = 0;
  for (const int64_t length : lengths) {
    stream.first_inputs.push_back(-1);
    total += length;
    stream.offsets.push_back(total);
  }
  stream.ids.resize(static_cast<size_t>(total));
  std::iota(stream.ids.begin(), stream.ids.end(), 0);
  return stream;
}

TEST(Streams, EveryTokenIsATargetOnceAnEpoch) {
  const TokenStream stream = numbers({7, 1, 30, 12, 3});
  for (const bool random : {false, true}) {
    const StreamLayout layout(
        stream, {.streams = 4, .chunk = 6, .random_chunks = random, .shuffle = true, .seed = 2, .epoch = 1});
    std::multiset<int32_t> seen;
    for (int64_t c = 0; c < layout.chunks(); ++c) {
      for (const int32_t target : layout.chunk(c).targets) seen.insert(target);
    }
    EXPECT_EQ(seen.size(), 53U);
    EXPECT_EQ(std::set<int32_t>(seen.begin(), seen.end()).size(), 53U);
  }
}

TEST(Streams, ASegmentContinuesWhereTheLastChunkOfItsStreamEnded) {
  const TokenStream stream = numbers({10, 10});
  const StreamLayout layout(stream, {.streams = 2, .chunk = 4});
  ASSERT_EQ(layout.chunks(), 3);
  for (int64_t c = 0; c < 3; ++c) {
    const StreamChunk chunk = layout.chunk(c);
    ASSERT_EQ(chunk.packing.sequences(), 2);
    for (int64_t n = 0; n < 2; ++n) {
      const StreamChunk::Segment& segment = chunk.segments[static_cast<size_t>(n)];
      EXPECT_EQ(segment.continues, c > 0);
      EXPECT_TRUE(segment.last);
      const auto row = static_cast<size_t>(chunk.packing.rows().row(0, n));
      EXPECT_EQ(chunk.targets[row], segment.stream * 10 + c * 4);
      EXPECT_EQ(chunk.inputs[row], c == 0 ? -1 : segment.stream * 10 + c * 4 - 1);
    }
  }
  EXPECT_EQ(layout.chunk(2).packing.num_rows(), 4);  // what is over, not dropped
}

TEST(Streams, ADocumentsEndInAChunkBeginsASegmentFromZeros) {
  const TokenStream stream = numbers({3, 5});
  const StreamLayout layout(stream, {.streams = 1, .chunk = 8});
  const StreamChunk chunk = layout.chunk(0);
  ASSERT_EQ(chunk.packing.sequences(), 2);
  EXPECT_FALSE(chunk.segments[0].continues);
  EXPECT_FALSE(chunk.segments[1].continues);
  EXPECT_TRUE(chunk.segments[0].last);  // packed order: the longer one, which comes second
  EXPECT_FALSE(chunk.segments[1].last);
}

TEST(Streams, RandomChunksFillTheStreamInAsManyChunksEveryEpoch) {
  const TokenStream stream = numbers({10000});
  StreamOptions options{.streams = 1, .chunk = 70, .random_chunks = true, .seed = 5};
  const int64_t count = StreamLayout::chunks(stream, options);
  std::set<int64_t> lengths;
  for (options.epoch = 0; options.epoch < 3; ++options.epoch) {
    const StreamLayout layout(stream, options);
    ASSERT_EQ(layout.chunks(), count);
    int64_t total = 0;
    for (int64_t c = 0; c < count; ++c) {
      const StreamChunk chunk = layout.chunk(c);
      lengths.insert(chunk.steps);
      total += chunk.steps;
    }
    EXPECT_EQ(total, 10000);
  }
  EXPECT_GT(lengths.size(), 15U);
  EXPECT_GT(*lengths.begin(), 15);  // halved ones
  EXPECT_LT(*lengths.rbegin(), 100);
}

TEST(Streams, ShufflingDependsOnTheEpoch) {
  const TokenStream stream = numbers(std::vector<int64_t>(40, 3));
  const auto first = [&](int64_t epoch) {
    return StreamLayout(stream, {.streams = 1, .chunk = 60, .shuffle = true, .seed = 1, .epoch = epoch})
        .chunk(0)
        .targets;
  };
  EXPECT_EQ(first(3), first(3));
  EXPECT_NE(first(3), first(4));
}

TEST(Streams, FewerTokensThanStreamsIsAnError) {
  const TokenStream stream = numbers({3});
  EXPECT_THROW(StreamLayout(stream, {.streams = 4}), ConfigError);
}

}  // namespace
}  // namespace rondo
