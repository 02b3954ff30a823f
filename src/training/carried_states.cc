#include "training/carried_states.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/errors.h"

namespace rondo {

namespace {

std::span<float> row_of(const Tensor& matrix, int64_t row) {
  const int64_t columns = matrix.dim(1);
  return {matrix.data<float>() + row * columns, static_cast<size_t>(columns)};
}

void copy_row(const Tensor& from, int64_t row, const Tensor& to, int64_t to_row) {
  std::ranges::copy(row_of(from, row), row_of(to, to_row).begin());
}

void forget_infinite(std::span<float> state) {
  if (std::ranges::all_of(state, [](float value) { return std::isfinite(value); })) return;
  std::ranges::fill(state, 0.0F);
}

void take_tensor(const NamedTensors& tensors, const std::string& name, const Tensor& to) {
  const Tensor& from = find_tensor(tensors, name);
  if (from.shape() != to.shape() || from.type() != DType::kFloat32) {
    throw_error<FormatError>("the checkpoint's state {} must be float32 {}, got {}", name,
                             to_string(to.shape()), to_string(from.shape()));
  }
  std::memcpy(to.raw(), from.raw(), static_cast<size_t>(to.bytes()));
}

}  // namespace

CarriedStates::CarriedStates(const RecurrentOptions& options, int64_t streams)
    : directions_(options.directions()) {
  for (int64_t i = 0; i < options.layers * directions_; ++i) {
    const int64_t layer = i / directions_;
    const auto add = [&](std::vector<Tensor>& states, int64_t columns) {
      if (columns > 0) states.push_back(Tensor::zeros({streams, columns}));
    };
    add(h_, options.state_of(layer));
    add(c_, options.cell_state_of(layer));
  }
}

RecurrentState CarriedStates::take(Tape& tape, const StreamChunk& chunk) const {
  const auto rows_of = [&](const std::vector<Tensor>& states) {
    std::vector<Variable> taken;
    for (const Tensor& all : states) {
      const Tensor rows = Tensor::zeros({chunk.packing.sequences(), all.dim(1)});
      for (size_t n = 0; n < chunk.segments.size(); ++n) {
        const StreamChunk::Segment& segment = chunk.segments[n];
        if (segment.continues) copy_row(all, segment.stream, rows, static_cast<int64_t>(n));
      }
      taken.push_back(tape.input(rows));
    }
    return taken;
  };
  return {rows_of(h_), rows_of(c_)};
}

void CarriedStates::put(const StreamChunk& chunk, const std::vector<Tensor>& h,
                        const std::vector<Tensor>& c) {
  const auto keep = [&](const std::vector<Tensor>& finals, const std::vector<Tensor>& states) {
    for (size_t i = 0; i < states.size(); i += static_cast<size_t>(directions_)) {
      for (size_t n = 0; n < chunk.segments.size(); ++n) {
        const StreamChunk::Segment& segment = chunk.segments[n];
        if (!segment.last) continue;
        copy_row(finals[i], static_cast<int64_t>(n), states[i], segment.stream);
        forget_infinite(row_of(states[i], segment.stream));
      }
    }
  };
  keep(h, h_);
  keep(c, c_);
}

void CarriedStates::clear() {
  for (const Tensor& h : h_) h.fill(0);
  for (const Tensor& c : c_) c.fill(0);
}

NamedTensors CarriedStates::tensors() const {
  NamedTensors tensors;
  for (size_t i = 0; i < h_.size(); ++i) tensors.emplace_back(fmt::format("h{}", i), h_[i]);
  for (size_t i = 0; i < c_.size(); ++i) tensors.emplace_back(fmt::format("c{}", i), c_[i]);
  return tensors;
}

void CarriedStates::restore(const NamedTensors& tensors) {
  for (size_t i = 0; i < h_.size(); ++i) take_tensor(tensors, fmt::format("h{}", i), h_[i]);
  for (size_t i = 0; i < c_.size(); ++i) take_tensor(tensors, fmt::format("c{}", i), c_[i]);
}

}  // namespace rondo
