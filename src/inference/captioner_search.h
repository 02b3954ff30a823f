// A captioner as beam search sees it, with the pictures that it has read.
//   CaptionerSearch search(model, backend, pictures.rows(numbers), /*pictures=*/4);
//   std::vector<std::vector<Hypothesis>> found = beam_search(search, options);
#pragma once

#include "inference/beam_search.h"
#include "models/captioner_model.h"

namespace rondo {

/// Reads all pictures at once, then goes on row by row. A source's length is its regions.
class CaptionerSearch : public SearchModel {
 public:
  /// The model and the backend must outlive it. @param rows  as PictureSet::rows.
  CaptionerSearch(const CaptionerModel& model, Backend& backend, const Tensor& rows, int64_t pictures);

  int64_t sentences() const override { return memory_.pictures; }
  int64_t source_length(int64_t) const override { return memory_.regions; }
  int64_t vocabulary() const override { return model_->network->vocabulary(); }
  int32_t end() const override { return model_->text.end(); }
  SearchStep step(std::span<const int32_t> previous) override;
  void select(std::span<const int32_t> rows) override;

 private:
  const CaptionerModel* model_;
  Backend* backend_;
  PictureMemory memory_;
  std::vector<int32_t> pictures_;  ///< of each row
  DecoderState state_;
};

}  // namespace rondo
