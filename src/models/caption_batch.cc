#include "models/caption_batch.h"

#include <algorithm>

namespace rondo {

namespace {

// Places of the captions' pictures among those that are different, in the order of their numbers.
std::vector<int32_t> different_pictures(std::span<const CaptionIds* const> captions) {
  std::vector<int32_t> numbers;
  for (const CaptionIds* caption : captions) numbers.push_back(caption->picture);
  std::ranges::sort(numbers);
  numbers.erase(std::ranges::unique(numbers).begin(), numbers.end());
  return numbers;
}

}  // namespace

CaptionBatch make_caption_batch(std::span<const CaptionIds* const> captions, const PictureSet& pictures,
                                int32_t end) {
  const std::vector<int32_t> numbers = different_pictures(captions);
  std::vector<int64_t> lengths;
  for (const CaptionIds* caption : captions) {
    lengths.push_back(static_cast<int64_t>(caption->ids.size()) + 1);
  }
  CaptionBatch batch{.pictures = pictures.rows(numbers),
                     .num_pictures = static_cast<int64_t>(numbers.size()),
                     .target = Packing(lengths),
                     .inputs = {},
                     .targets = {},
                     .looks = {},
                     .sources = {}};
  const PackedRows rows = batch.target.rows();
  batch.inputs.resize(static_cast<size_t>(rows.rows()));
  batch.targets.resize(batch.inputs.size());
  const auto looks = [](const CaptionIds* caption) { return !caption->looks.empty(); };
  if (std::ranges::any_of(captions, looks)) batch.looks.assign(batch.inputs.size(), -1);
  for (int64_t n = 0; n < rows.sequences; ++n) {
    const CaptionIds& caption = *captions[static_cast<size_t>(batch.target.order()[static_cast<size_t>(n)])];
    const auto at = std::ranges::lower_bound(numbers, caption.picture);
    batch.sources.push_back(static_cast<int32_t>(at - numbers.begin()));
    int32_t before = end;
    for (int64_t t = 0; t < batch.target.length(n); ++t) {
      const auto row = static_cast<size_t>(rows.row(t, n));
      const auto word = static_cast<size_t>(t);
      batch.inputs[row] = before;
      before = batch.targets[row] = word < caption.ids.size() ? caption.ids[word] : end;
      if (word < caption.looks.size()) batch.looks[row] = caption.looks[word];
    }
  }
  return batch;
}

}  // namespace rondo
