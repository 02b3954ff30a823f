// A captioner with random weights over four tokens.
#pragma once

#include "models/captioner_model.h"

namespace rondo {

/// @param given  whether it reads three regions of four numbers, or pictures of 8x8 pixels.
inline CaptionerModel small_captioner(CaptionAttention attention, bool given) {
  CaptionerOptions options{.embedding = 4, .hidden = 5, .attention = attention};
  if (given) {
    options.regions = 3;
    options.region_size = 4;
  } else {
    options.image_size = 8;
    options.blocks = 2;
    options.filters = 2;
  }
  CaptionerModel model{.text = {.tokenizer = make_tokenizer(TokenizerKind::kWords),
                                .vocabulary = Vocabulary::from_tokens(
                                    {Vocabulary::kUnknownToken, Vocabulary::kEndToken, "a", "bag"})},
                       .network = {}};
  model.network = std::make_unique<CaptionerNetwork>(options, 4);
  model.network->initialize(Stream(3), model.text.end());
  return model;
}

}  // namespace rondo
