// Whether words look at what they name, where that is known.
//   PlaceScore score;  add_places(captions.front(), truth.articles, {96, 96}, /*side=*/8, score);
#pragma once

#include <span>

#include "data/fashion_scenes.h"
#include "inference/picture_captioner.h"

namespace rondo {

/// Of the words that name articles: how many there are, and how many looked most at the article of this name.
struct PlaceScore {
  int64_t words = 0, right = 0;

  double share() const { return words > 0 ? static_cast<double>(right) / static_cast<double>(words) : 0; }
};

/// A word counts if an article of any scene has its name. It is right if the centre of the region with its
/// greatest weight lies in the box of an article of this scene with this name.
/// @param picture the size of the picture that the boxes speak of.
/// @param side    regions along each side.
/// @param known   the names of all articles.
void add_places(const PictureCaption& caption, std::span<const SceneArticle> articles,
                const ImageSize& picture, int64_t side, std::span<const std::string> known,
                PlaceScore& score);

}  // namespace rondo
