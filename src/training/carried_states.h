// The states of a language model's streams between two chunks.
//   RecurrentState initial = states.take(tape, chunk);  ...  states.put(chunk, values_of(final.h),
//   values_of(final.c));
#pragma once

#include <vector>

#include "data/streams.h"
#include "layers/recurrent.h"
#include "storage/safetensors.h"

namespace rondo {

/// Zeros at first. A second direction begins each chunk at its end, from zeros.
class CarriedStates {
 public:
  CarriedStates(const RecurrentOptions& options, int64_t streams);

  /// States of the chunk's segments in packed order: those that go on from the last chunk, zeros for the
  /// others.
  RecurrentState take(Tape& tape, const StreamChunk& chunk) const;
  /// Keeps the final states (index layer*directions + direction) of the last segment of each stream. A state
  /// that overflowed, as a relu network's may, would spoil every chunk to come: it is zeros again.
  void put(const StreamChunk& chunk, const std::vector<Tensor>& h, const std::vector<Tensor>& c);
  void clear();

  /// For a checkpoint: h0, h1, ..., c0, ...
  NamedTensors tensors() const;
  /// @throws FormatError if they are another's.
  void restore(const NamedTensors& tensors);

 private:
  int64_t directions_;
  std::vector<Tensor> h_, c_;  ///< [streams, P], [streams, H] each
};

}  // namespace rondo
