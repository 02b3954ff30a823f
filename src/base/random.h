// Random numbers by counter (Philox 4x32-10): the n-th number of a stream depends on its key and n only,
// never on which thread asks or in what order.
//   Stream stream(seed, {step, layer});  float u = stream.uniform(17);
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace rondo {

/// Philox 4x32 with 10 rounds: 128 random bits of a counter and a key.
/// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"; the tests hold it
/// against the known answers that Random123 publishes.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A stream of independent numbers, addressed by index.
/// The 64-bit key is a chain of SplitMix64 steps over seed and path: Stream(s, {a, b}) is
/// Stream(s, {a}).sub(b), and neighbouring seeds or names give unrelated streams.
class Stream {
 public:
  /// The stream of (seed, path): path names the use, such as {step, layer, purpose}.
  explicit Stream(uint64_t seed, std::initializer_list<uint64_t> path = {});

  /// A stream inside this one: Stream(seed, {a}).sub(b) is Stream(seed, {a, b}).
  Stream sub(uint64_t name) const;

  /// 32 random bits. Numbers 4i .. 4i+3 come from one block: reading in order costs a quarter.
  uint32_t bits(uint64_t index) const;
  /// The four numbers 4*block .. 4*block+3.
  std::array<uint32_t, 4> block(uint64_t block) const;
  /// What philox() is keyed with, for code that draws many blocks at a time.
  uint64_t key() const { return key_; }
  /// Uniform in [0, 1), a multiple of 2^-24: exact in a float.
  float uniform(uint64_t index) const { return to_uniform(bits(index)); }
  /// Normal with mean 0 and variance 1 (Box-Muller over the pair 2*index, 2*index+1).
  float normal(uint64_t index) const;
  /// Uniform in 0 .. bound-1 without bias worth measuring (64-bit multiply and shift).
  uint64_t below(uint64_t index, uint64_t bound) const;

  static float to_uniform(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-24F; }

 private:
  uint64_t key_;
};

/// Fisher-Yates: every order equally likely, the same for the same stream.
void shuffle(std::span<int32_t> values, const Stream& stream);

}  // namespace rondo
