// A corpus of captions made of real pictures that Debian carries: articles of Fashion-MNIST on a canvas, with
// sentences that name them and their places.
//   FashionScenesOptions options{.output = "scenes"};
//   write_fashion_scenes(options);   // scenes/images/, scenes/train.jsonl, dev.jsonl and test.jsonl
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/options.h"
#include "base/random.h"
#include "data/debian_packages.h"
#include "data/idx_images.h"

namespace rondo {

enum class FashionKinds { kClear, kAll };

template <>
inline constexpr auto kNames<FashionKinds> =
    std::array{std::pair{FashionKinds::kClear, "clear"}, std::pair{FashionKinds::kAll, "all"}};

struct FashionScenesOptions {
  std::string output = "fashion-scenes";
  int64_t train = 8000;
  int64_t dev = 1000;
  int64_t test = 1000;
  FashionKinds kinds = FashionKinds::kClear;
  int64_t most_articles = 4;
  int64_t seed = 1;
  std::string dataset = "/usr/share/datasets/fashion-mnist";

  template <class Visitor>
  void visit(Visitor& v) {
    v("output", output,
      "folder to write, which must not be there yet; a run that is killed leaves OUTPUT.partial.XXXXXX");
    v("train", train, "scenes of train.jsonl", Range{1, 1e6});
    v("dev", dev, "scenes of dev.jsonl", Range{1, 1e6});
    v("test", test, "scenes of test.jsonl, of pictures that no other file shows", Range{1, 1e6});
    v("kinds", kinds,
      "clear: shirts, trousers, sandals, bags and boots, which a small network tells apart; all: the ten "
      "kinds");
    v("most-articles", most_articles, "articles of a scene: two to so many", Range{2, 4});
    v("seed", seed, "of the scenes: the same seed gives the same files", Range{0, 9e15});
    v("dataset", dataset, "folder with the files of Debian's package dataset-fashion-mnist");
  }
};

/// Where an article stands, in pixels.
struct Box {
  int64_t x = 0, y = 0, width = 0, height = 0;
};

struct SceneArticle {
  std::string name;  ///< "boot"
  Box box;
};

/// A scene and what is true of it.
struct FashionScene {
  static constexpr int64_t kSide = 96;

  Image image;                               ///< [96, 96, 1]
  std::vector<SceneArticle> articles;        ///< in the order in which the caption names them
  std::string caption;                       ///< "a boot left of a bag, above a shirt"
  std::vector<std::vector<int32_t>> places;  ///< of each word of the caption: the articles that it is about

  /// {"image", "caption", "articles": [{"name", "box": [x, y, width, height]}], "places"}.
  nlohmann::ordered_json to_json(const std::string& name) const;
};

/// One scene: different kinds in different cells of three rows and three columns, each a few pixels off. The
/// caption names them in the order of the dataset's labels, the first one in its relation to each other one:
/// "above" or "below" where they stand in different rows, else "left of" or "right of".
class SceneMaker {
 public:
  /// @param takes  whether a picture of this number may be shown.
  /// @throws DataError if there is no picture of a kind, or pictures do not fit a cell.
  SceneMaker(const IdxImages& images, FashionKinds kinds, const std::function<bool(int64_t)>& takes);
  FashionScene make(int64_t most_articles, const Stream& stream) const;

 private:
  const IdxImages& images_;
  FashionKinds kinds_;
  std::vector<std::vector<int32_t>> pictures_;  ///< of each name
};

/// Writes the folder, whole or not at all. Train and dev are of the dataset's training pictures, each of its
/// own; test is of its test pictures.
/// @throws DataError where the dataset is missing, with the commands that bring it; ConfigError if the folder
///         is there already; IoError.
std::vector<WrittenFile> write_fashion_scenes(const FashionScenesOptions& options);

}  // namespace rondo
