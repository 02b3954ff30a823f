// Captions with their pictures as packed rows.
//   CaptionBatch batch = make_caption_batch(captions, pictures, model.text.end());
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/picture_set.h"
#include "tensor/packing.h"

namespace rondo {

/// Ids of a caption without its end, and the number of its picture.
struct CaptionIds {
  int32_t picture = 0;
  std::vector<int32_t> ids;
  std::vector<int32_t> looks = {};  ///< the region that each id speaks of, -1: none is known; or empty
};

/// Captions are packed by falling length; a picture with several captions stands there once.
struct CaptionBatch {
  Tensor pictures;  ///< [places * num_pictures, columns], as PictureSet::rows
  int64_t num_pictures = 0;
  Packing target;
  std::vector<int32_t> inputs;   ///< [Rt] what the decoder reads: the end token, then the caption
  std::vector<int32_t> targets;  ///< [Rt] what it tells: the caption, then the end token
  std::vector<int32_t> looks;    ///< [Rt] the region that a target speaks of, -1: none is known; or empty
  std::vector<int32_t> sources;  ///< [N] the picture, of those here, of packed caption n

  int64_t num_targets() const { return target.num_rows(); }
};

CaptionBatch make_caption_batch(std::span<const CaptionIds* const> captions, const PictureSet& pictures,
                                int32_t end);

}  // namespace rondo
