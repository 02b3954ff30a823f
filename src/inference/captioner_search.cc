#include "inference/captioner_search.h"

#include <numeric>
#include <utility>

namespace rondo {

CaptionerSearch::CaptionerSearch(const CaptionerModel& model, Backend& backend, const Tensor& rows,
                                 int64_t pictures)
    : model_(&model), backend_(&backend) {
  Tape tape(backend);
  memory_ = model.network->read(tape, rows, pictures);
  state_ = memory_.initial;
  pictures_.resize(static_cast<size_t>(pictures));
  std::iota(pictures_.begin(), pictures_.end(), 0);
}

SearchStep CaptionerSearch::step(std::span<const int32_t> previous) {
  Tape tape(*backend_);
  DecoderStep next = model_->network->step(tape, memory_, state_, previous, pictures_);
  state_ = std::move(next.state);
  return {.log_probabilities = std::move(next.log_probabilities), .attention = std::move(next.attention)};
}

void CaptionerSearch::select(std::span<const int32_t> rows) {
  const std::vector<int32_t> before = std::move(pictures_);
  pictures_.clear();
  for (const int32_t row : rows) pictures_.push_back(before[static_cast<size_t>(row)]);
  state_ = select_rows(state_, rows);
}

}  // namespace rondo
