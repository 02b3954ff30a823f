#include "base/random.h"

#include <cassert>
#include <cmath>
#include <numbers>
#include <utility>

namespace rondo {
namespace {

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15;

// Number `index` of SplitMix64 begun at `state`. Source: Steele, Lea & Flood 2014, "Fast splittable
// pseudorandom number generators"; constants of Vigna 2015.
uint64_t splitmix(uint64_t state, uint64_t index) {
  uint64_t z = state + (index + 1) * kGolden;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::array<uint32_t, 2> halves(uint64_t value) {
  return {static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)};
}

}  // namespace

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const auto [low0, high0] = halves(uint64_t{0xD2511F53} * counter[0]);
    const auto [low1, high1] = halves(uint64_t{0xCD9E8D57} * counter[2]);
    counter = {high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Stream::Stream(uint64_t seed, std::initializer_list<uint64_t> path) : key_(splitmix(seed, 0)) {
  for (const uint64_t name : path) key_ = splitmix(key_, name);
}

Stream Stream::sub(uint64_t name) const {
  Stream inner = *this;
  inner.key_ = splitmix(key_, name);
  return inner;
}

std::array<uint32_t, 4> Stream::block(uint64_t block) const {
  const auto [low, high] = halves(block);
  return philox({low, high, 0, 0}, halves(key_));
}

uint32_t Stream::bits(uint64_t index) const { return block(index / 4)[index % 4]; }

float Stream::normal(uint64_t index) const {
  const std::array<uint32_t, 4> numbers = block(index / 2);
  const uint64_t first = 2 * (index % 2);
  // In double, and never log(0): the largest normal is sqrt(-2 log 2^-33) = 6.8.
  const double radius = std::sqrt(-2 * std::log((numbers[first] + 0.5) * 0x1p-32));
  return static_cast<float>(radius * std::cos(2 * std::numbers::pi * numbers[first + 1] * 0x1p-32));
}

uint64_t Stream::below(uint64_t index, uint64_t bound) const {
  assert(bound > 0);
  const std::array<uint32_t, 4> numbers = block(index / 2);
  const uint64_t first = 2 * (index % 2);
  const uint64_t random = uint64_t{numbers[first + 1]} << 32 | numbers[first];
  return static_cast<uint64_t>((static_cast<unsigned __int128>(random) * bound) >> 64);
}

void shuffle(std::span<int32_t> values, const Stream& stream) {
  for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[stream.below(i - 1, i)]);
}

}  // namespace rondo
