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
};

/// Of JSON lines, each with the keys "image" and "articles"; nothing where the file is another kind or the
/// first line has no articles. @throws DataError `file:line: ...` for a line that is broken.
std::vector<SceneTruth> read_scene_truth(const std::string& path);

}  // namespace rondo
