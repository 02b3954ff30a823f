// A captioner whole: tokenizer, vocabulary and network; a picture in, text out.
//   PictureSet pictures = read_pictures(paths, model.picture_shape(), threads);
//   std::string text = model.text.decode(ids_that_were_found);
#pragma once

#include <memory>

#include "models/captioner_network.h"
#include "models/translator_model.h"

namespace rondo {

struct CaptionerModel {
  TextCoder text;
  std::unique_ptr<CaptionerNetwork> network;

  const CaptionerOptions& options() const { return network->options(); }
  /// As pictures must be read; not of a model whose regions are given.
  PictureShape picture_shape() const { return {options().image_size, options().channels()}; }
};

}  // namespace rondo
