#include "data/scene_truth.h"

#include <gmock/gmock.h>

#include "data_test_files.h"

namespace rondo {
namespace {

using testing::HasSubstr;

TEST(SceneTruth, TellsWhereArticlesStand) {
  const TestFolder folder;
  const std::string path = folder.write(
      "scenes.jsonl",
      R"({"image": "a.png", "caption": "a bag", "articles": [{"name": "bag", "box": [1, 2, 28, 29]}]})"
      "\n\n"
      R"({"image": "b.png", "articles": []})");
  const std::vector<SceneTruth> truth = read_scene_truth(path);
  ASSERT_EQ(truth.size(), 2U);
  EXPECT_EQ(truth[0].image, "a.png");
  ASSERT_EQ(truth[0].articles.size(), 1U);
  EXPECT_EQ(truth[0].articles[0].name, "bag");
  EXPECT_EQ(truth[0].articles[0].box.height, 29);
  EXPECT_TRUE(truth[1].articles.empty());
}

TEST(SceneTruth, TheMiddleOfABoxIsInARegion) {
  EXPECT_EQ(middle_region({.x = 0, .y = 0, .width = 28, .height = 28}, {96, 96}, 8),
            9);  // (14, 14) of 12 a region
  EXPECT_EQ(middle_region({.x = 68, .y = 35, .width = 28, .height = 28}, {96, 96}, 8), 38);  // (82, 49)
  EXPECT_EQ(middle_region({.x = 96, .y = 96, .width = 8, .height = 8}, {96, 96}, 8), 63);
}

TEST(SceneTruth, BoxesArePixelsOfThePicturesOwnSize) {
  const Box box{.x = 350, .y = 50, .width = 28, .height = 28};  // its middle (364, 64)
  EXPECT_EQ(middle_region(box, {.width = 640, .height = 480}, 8), 1 * 8 + 4);
  EXPECT_TRUE(holds({.width = 640, .height = 480}, box));
  EXPECT_FALSE(holds({.width = 377, .height = 480}, box));
  EXPECT_FALSE(holds({.width = 640, .height = 77}, box));
}

TEST(SceneTruth, FilesThatTellNoneHaveNone) {
  const TestFolder folder;
  EXPECT_TRUE(read_scene_truth(folder.write("c.csv", "image,caption\na.png,a bag\n")).empty());
  EXPECT_TRUE(read_scene_truth(folder.write("c.jsonl", R"({"image": "a.png", "caption": "a bag"})")).empty());
  EXPECT_TRUE(read_scene_truth(folder.write("none.jsonl", "")).empty());
}

TEST(SceneTruth, ABrokenLineIsNamed) {
  const TestFolder folder;
  const std::string good = R"({"image": "a.png", "articles": []})";
  for (const char* bad : {"{", "[]", R"({"image": "b.png"})", R"({"image": 3, "articles": []})",
                          R"({"image": "b.png", "articles": [{"name": "bag"}]})",
                          R"({"image": "b.png", "articles": [{"name": "bag", "box": [1, 2, 3]}]})",
                          R"({"image": "b.png", "articles": [{"name": "bag", "box": [1, 2, 3, -4]}]})",
                          R"({"image": "b.png", "articles": [{"name": "bag", "box": [1, 2, 3, 1e300]}]})",
                          R"({"image": "b.png", "articles": 3})"}) {
    const std::string path = folder.write("s.jsonl", good + "\n" + bad + "\n");
    EXPECT_THAT(message_of<DataError>([&] { read_scene_truth(path); }),
                HasSubstr("s.jsonl:2: the first line tells"))
        << bad;
  }
}

}  // namespace
}  // namespace rondo
