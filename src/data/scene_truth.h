// Where the things of a caption stand, as `rondo data fashion-scenes` writes it beside the captions.
//   std::vector<SceneTruth> truth = read_scene_truth("scenes/test.jsonl");
#pragma once

#include <string>
#include <vector>

#include "data/fashion_scenes.h"

namespace rondo {

struct SceneTruth {
  std::string image;
  std::vector<SceneArticle> articles;
  int64_t line = 0;
};

/// Of JSON lines, each with the keys "image" and "articles", whose boxes are pixels of the picture's file;
/// nothing where the file is another kind or the first line has no articles. @throws DataError `file:line:
/// ...` for a line that is broken.
std::vector<SceneTruth> read_scene_truth(const std::string& path);

bool holds(const ImageSize& picture, const Box& box);
/// The region in the middle of a box, where side * side regions divide the picture.
int32_t middle_region(const Box& box, const ImageSize& picture, int64_t side);

}  // namespace rondo
