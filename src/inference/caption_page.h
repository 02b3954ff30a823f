// A page that shows where each word of a caption looked, to be opened anywhere: pictures are inside it.
//   CaptionPage page;  page.add("dog.jpg", image, captions.front(), /*side=*/8);
//   write_file("page.html", page.html());
#pragma once

#include <string>

#include "data/image.h"
#include "inference/picture_captioner.h"

namespace rondo {

class CaptionPage {
 public:
  /// A picture with a caption that was asked for with its attention.
  /// @param side  regions along each side of the picture.
  void add(const std::string& name, const Image& image, const PictureCaption& caption, int64_t side);
  std::string html() const;

 private:
  std::string sections_;
};

/// The picture with light where the weights are: dark where they are 0, tinted where they are greatest.
/// Weights are drawn between the centres of regions bilinearly, in parts of the greatest one.
/// @param weights  [side * side].  @return  of the image's size, in colours.
Image attention_over(const Image& image, std::span<const float> weights, int64_t side);

}  // namespace rondo
