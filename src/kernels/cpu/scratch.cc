#include "kernels/cpu/scratch.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

namespace rondo {

namespace {

constexpr std::align_val_t kAlignment{64};

float* allocate(int64_t count) {
  return static_cast<float*>(::operator new[](count * sizeof(float), kAlignment));
}

struct FreeAligned {
  void operator()(float* p) const { ::operator delete[](p, kAlignment); }
};

struct Block {
  std::unique_ptr<float[], FreeAligned> data;
  int64_t size = 0;
};

/// Blocks are used in order; block_ is the one being filled.
struct Stack {
  std::vector<Block> blocks;
  int64_t block = 0;
  int64_t used = 0;

  void add_block(int64_t count) {
    // Doubling: a few calls suffice for any size.
    const int64_t size = std::max({count, int64_t{1} << 16, blocks.empty() ? 0 : 2 * blocks.back().size});
    blocks.push_back({std::unique_ptr<float[], FreeAligned>(allocate(size)), size});
  }
};

thread_local Stack stack;

}  // namespace

void OwnedFloats::Free::operator()(float* p) const { FreeAligned()(p); }

float* OwnedFloats::take(int64_t count) {
  blocks_.emplace_back(allocate(count));
  return blocks_.back().get();
}

ScratchFrame::ScratchFrame() : block_(stack.block), used_(stack.used) {}

ScratchFrame::~ScratchFrame() {
  stack.block = block_;
  stack.used = used_;
  // Nothing is in use: one block, the largest, will serve the next call from one piece.
  if (block_ == 0 && used_ == 0 && stack.blocks.size() > 1) {
    stack.blocks.erase(stack.blocks.begin(), stack.blocks.end() - 1);
  }
}

float* ScratchFrame::take(int64_t count) {
  count = (count + 15) / 16 * 16;
  while (stack.block < static_cast<int64_t>(stack.blocks.size()) &&
         stack.used + count > stack.blocks[stack.block].size) {
    ++stack.block;
    stack.used = 0;
  }
  if (stack.block == static_cast<int64_t>(stack.blocks.size())) stack.add_block(count);
  float* taken = stack.blocks[stack.block].data.get() + stack.used;
  stack.used += count;
  return taken;
}

float* ScratchFrame::take_zeros(int64_t count) {
  float* taken = take(count);
  std::memset(taken, 0, count * sizeof(float));
  return taken;
}

}  // namespace rondo
