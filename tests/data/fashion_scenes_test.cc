#include "data/fashion_scenes.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "data_test_files.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string big_endian(std::initializer_list<uint32_t> numbers) {
  std::string bytes;
  for (const uint32_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  }
  return bytes;
}

/// A dataset of `count` pictures of 28x28, whose pixels are 10 * label + 1, ten of a label together.
void write_dataset(const TestFolder& folder, const std::string& part, uint32_t count) {
  std::string pixels = big_endian({2051, count, 28, 28}), labels = big_endian({2049, count});
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t label = i / 10 % 10;  // of each some stand at every tenth number
    pixels += std::string(28 * 28, static_cast<char>(10 * label + 1));
    labels += static_cast<char>(label);
  }
  folder.write_gzip(part + "-images-idx3-ubyte.gz", pixels);
  folder.write_gzip(part + "-labels-idx1-ubyte.gz", labels);
}

FashionScenesOptions small(const TestFolder& folder, const std::string& output) {
  write_dataset(folder, "train", 400);
  write_dataset(folder, "t10k", 100);
  return {.output = folder.path(output), .train = 30, .dev = 5, .test = 5, .dataset = folder.path("")};
}

TEST(IdxImages, OtherFilesAreRefused) {
  const TestFolder folder;
  write_dataset(folder, "train", 4);
  EXPECT_EQ(read_idx_images(folder.path(""), "train").size(), 4);
  folder.write("a-images-idx3-ubyte", big_endian({2051, 1, 28, 28}) + "short");
  EXPECT_THAT(message_of<DataError>([&] { read_idx_images(folder.path(""), "a"); }), HasSubstr("5 bytes"));
  folder.write("b-images-idx3-ubyte", "no idx");
  EXPECT_THAT(message_of<DataError>([&] { read_idx_images(folder.path(""), "b"); }),
              HasSubstr("no idx file"));
  folder.write("c-images-idx3-ubyte", big_endian({2051, 0, 0xFFFFFFFF, 0xFFFFFFFF}));
  EXPECT_THAT(message_of<DataError>([&] { read_idx_images(folder.path(""), "c"); }), HasSubstr("pixels"));
  folder.write("d-images-idx3-ubyte", big_endian({2051, 1, 1, 1}) + "x");
  folder.write("d-labels-idx1-ubyte", big_endian({2049, 2}) + "xy");
  EXPECT_THAT(message_of<DataError>([&] { read_idx_images(folder.path(""), "d"); }),
              HasSubstr("2 labels for the 1 pictures"));
}

// What a caption says, checked against where the pixels stand.
void expect_true(const FashionScene& scene) {
  SCOPED_TRACE(scene.caption);
  ASSERT_GE(scene.articles.size(), 2U);
  std::string told;
  for (size_t i = 0; i < scene.articles.size(); ++i) {
    const SceneArticle& article = scene.articles[i];
    const std::string phrase = (article.name == "trousers" ? "" : "a ") + article.name;
    if (i == 0) {
      told = phrase;
      continue;
    }
    const Box &first = scene.articles[0].box, &other = article.box;
    const int64_t row = first.y / 32, other_row = other.y / 32;
    const std::string relation = row < other_row     ? "above"
                                 : row > other_row   ? "below"
                                 : first.x < other.x ? "left of"
                                                     : "right of";
    told += (i > 1 ? ", " : " ") + relation + " " + phrase;
  }
  EXPECT_EQ(scene.caption, told);
  EXPECT_EQ(scene.places.size(), static_cast<size_t>(std::ranges::count(told, ' ')) + 1);
}

TEST(FashionScenes, CaptionsTellWhatStandsWhere) {
  const TestFolder folder;
  write_dataset(folder, "train", 400);
  const IdxImages images = read_idx_images(folder.path(""), "train");
  constexpr std::array<std::string_view, 10> kNames = {"tee",    "trousers", "pullover", "dress", "coat",
                                                       "sandal", "shirt",    "sneaker",  "bag",   "boot"};
  for (const FashionKinds kinds : {FashionKinds::kClear, FashionKinds::kAll}) {
    const SceneMaker maker(images, kinds, [](int64_t) { return true; });
    std::set<size_t> counts;
    for (uint64_t i = 0; i < 200; ++i) {
      const FashionScene scene = maker.make(4, Stream(3, {i}));
      counts.insert(scene.articles.size());
      expect_true(scene);
      int64_t ink = 0;
      for (const uint8_t pixel : scene.image.bytes) ink += pixel != 0;
      EXPECT_EQ(ink, 28 * 28 * static_cast<int64_t>(scene.articles.size()));  // nothing is hidden
      for (const SceneArticle& article : scene.articles) {
        const uint8_t pixel = scene.image.at(article.box.y + 14, article.box.x + 14, 0);
        const std::string_view shown = kNames[static_cast<size_t>(pixel / 10)];
        EXPECT_TRUE(shown == article.name || (article.name == "shirt" && shown == "tee")) << article.name;
      }
    }
    EXPECT_EQ(counts, (std::set<size_t>{2, 3, 4}));
  }
}

TEST(FashionScenes, EveryWordKnowsItsArticles) {
  const TestFolder folder;
  write_dataset(folder, "train", 400);
  const IdxImages images = read_idx_images(folder.path(""), "train");
  const SceneMaker maker(images, FashionKinds::kClear, [](int64_t) { return true; });
  FashionScene scene;
  for (uint64_t i = 0; !scene.caption.starts_with("a shirt left of a bag, "); ++i) {
    ASSERT_LT(i, 5000U);
    scene = maker.make(3, Stream(4, {i}));
  }
  const std::vector<std::vector<int32_t>> begin(scene.places.begin(), scene.places.begin() + 7);
  EXPECT_EQ(begin, (std::vector<std::vector<int32_t>>{{0}, {0}, {0, 1}, {0, 1}, {1}, {1}, {0, 2}}));
  const auto json = scene.to_json("x.png");
  EXPECT_EQ(json.at("image"), "x.png");
  EXPECT_EQ(json.at("articles").at(1).at("name"), "bag");
  EXPECT_EQ(json.at("articles").at(0).at("box").at(0), scene.articles[0].box.x);
}

TEST(FashionScenes, TheSameSeedWritesTheSameFiles) {
  const TestFolder folder;
  FashionScenesOptions options = small(folder, "a");
  const std::vector<WrittenFile> files = write_fashion_scenes(options);
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].rows, 30);
  const std::string train = read_file(folder.path("a/train.jsonl"));
  options.output = folder.path("b");
  write_fashion_scenes(options);
  EXPECT_EQ(read_file(folder.path("b/train.jsonl")), train);
  EXPECT_EQ(read_file(folder.path("b/images/test-000003.png")),
            read_file(folder.path("a/images/test-000003.png")));
  options.output = folder.path("c");
  options.seed = 2;
  write_fashion_scenes(options);
  EXPECT_NE(read_file(folder.path("c/train.jsonl")), train);
}

TEST(FashionScenes, NothingIsOverwrittenAndNothingHalfWrittenStays) {
  const TestFolder folder;
  FashionScenesOptions options = small(folder, "a");
  write_fashion_scenes(options);
  EXPECT_THAT(message_of<ConfigError>([&] { write_fashion_scenes(options); }), HasSubstr("there already"));
  folder.write("b.partial", "a file of the user");
  options.output = folder.path("b/");
  write_fashion_scenes(options);
  EXPECT_EQ(read_file(folder.path("b.partial")), "a file of the user");
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path(""))) {
    if (entry.is_directory()) folders.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(folders, testing::UnorderedElementsAre("a", "b"));
  options.output = "";
  EXPECT_THAT(message_of<ConfigError>([&] { write_fashion_scenes(options); }),
              HasSubstr("--output is empty"));
}

TEST(FashionScenes, AMissingDatasetIsAskedForByItsPackage) {
  const TestFolder folder;
  const FashionScenesOptions options{.output = folder.path("a"), .dataset = folder.path("none")};
  EXPECT_THAT(message_of<DataError>([&] { write_fashion_scenes(options); }),
              AllOf(HasSubstr("apt-get install dataset-fashion-mnist"), HasSubstr("--dataset")));
}

}  // namespace
}  // namespace rondo
