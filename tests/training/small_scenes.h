// Pictures of two coloured squares in two of four quarters, and captions that tell which is where.
#pragma once

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <string>

#include "base/random.h"
#include "data/image.h"
#include "storage/test_files.h"
#include "training/caption_options.h"

namespace rondo {

constexpr std::array kColours = {"red", "green", "blue"};

/// Two squares of 6x6 on 16x16 pixels.
struct SmallScene {
  int32_t colours[2], quarters[2];  ///< in the order in which the caption names them
  Image image;
  std::string caption;  ///< "red left of blue"
};

inline SmallScene small_scene(const Stream& stream) {
  SmallScene scene{.colours = {0, 0}, .quarters = {0, 0}, .image = filled_image(16, 16, 3), .caption = ""};
  scene.colours[0] = static_cast<int32_t>(stream.below(0, 3));
  scene.colours[1] =
      static_cast<int32_t>((static_cast<uint64_t>(scene.colours[0]) + 1 + stream.below(1, 2)) % 3);
  if (scene.colours[0] > scene.colours[1]) std::swap(scene.colours[0], scene.colours[1]);
  scene.quarters[0] = static_cast<int32_t>(stream.below(2, 4));
  scene.quarters[1] =
      static_cast<int32_t>((static_cast<uint64_t>(scene.quarters[0]) + 1 + stream.below(3, 3)) % 4);
  for (int i = 0; i < 2; ++i) {
    for (int64_t y = 1; y < 7; ++y) {
      for (int64_t x = 1; x < 7; ++x) {
        scene.image.at(scene.quarters[i] / 2 * 8 + y, scene.quarters[i] % 2 * 8 + x, scene.colours[i]) = 255;
      }
    }
  }
  const int32_t row = scene.quarters[0] / 2, other = scene.quarters[1] / 2;
  const char* relation = row < other                             ? "above"
                         : row > other                           ? "below"
                         : scene.quarters[0] < scene.quarters[1] ? "left of"
                                                                 : "right of";
  scene.caption = fmt::format("{} {} {}", kColours[static_cast<size_t>(scene.colours[0])], relation,
                              kColours[static_cast<size_t>(scene.colours[1])]);
  return scene;
}

/// FOLDER/images/ and FOLDER/captions.csv.
inline void write_small_scenes(const TestFolder& folder, int64_t count, uint64_t seed = 1) {
  std::filesystem::create_directories(folder.file("images"));
  std::string rows = "image,caption\n";
  for (int64_t i = 0; i < count; ++i) {
    const SmallScene scene = small_scene(Stream(seed, {static_cast<uint64_t>(i)}));
    const std::string name = fmt::format("{}.png", i);
    put_bytes(folder.file("images/" + name), encode_png(scene.image));
    rows += name + "," + scene.caption + "\n";
  }
  put_bytes(folder.file("captions.csv"), rows);
}

inline CaptionTask small_caption_task(const TestFolder& folder) {
  CaptionTask task;
  task.files.images = folder.file("images");
  task.files.captions = folder.file("captions.csv");
  task.files.run.output = folder.file("scenes.rondo");
  task.corpus.min_count = 1;
  task.model = {.embedding = 16,
                .hidden = 32,
                .attention_size = 16,
                .image_size = 16,
                .filters = 8,
                .blocks = 2,
                .dropout = 0};
  task.loop.batch = 16;
  task.loop.after = "2e";
  task.loop.optimizer.lr = 5e-3;
  return task;
}

}  // namespace rondo
