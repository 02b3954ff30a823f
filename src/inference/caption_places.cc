#include "inference/caption_places.h"

#include <algorithm>

namespace rondo {

namespace {

bool inside(const Box& box, double x, double y) {
  const auto left = static_cast<double>(box.x), top = static_cast<double>(box.y);
  return x >= left && y >= top && x < left + static_cast<double>(box.width) &&
         y < top + static_cast<double>(box.height);
}

}  // namespace

void add_places(const PictureCaption& caption, std::span<const SceneArticle> articles,
                const ImageSize& picture, int64_t side, std::span<const std::string> known,
                PlaceScore& score) {
  const auto regions = static_cast<size_t>(side * side);
  // The middle of place `at` of `side` along so many pixels.
  const auto middle = [&](int64_t at, int64_t pixels) {
    return (static_cast<double>(at) + 0.5) * static_cast<double>(pixels) / static_cast<double>(side);
  };
  for (size_t t = 0; t < caption.tokens.size(); ++t) {
    const std::string& word = caption.tokens[t];
    if (std::ranges::find(known, word) == known.end()) continue;
    const std::span<const float> weights = std::span(caption.attention).subspan(t * regions, regions);
    const int64_t most = std::ranges::max_element(weights) - weights.begin();
    const double x = middle(most % side, picture.width);
    const double y = middle(most / side, picture.height);
    ++score.words;
    score.right += std::ranges::any_of(articles, [&](const SceneArticle& article) {
      return article.name == word && inside(article.box, x, y);
    });
  }
}

}  // namespace rondo
