#include "data/fashion_scenes.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <system_error>

#include "base/errors.h"
#include "base/files.h"
#include "base/system_errors.h"

namespace rondo {

namespace {

namespace fs = std::filesystem;

/// What a caption calls articles, and the dataset's labels that are such.
struct Kind {
  std::string_view name, phrase;
  std::string_view labels;
};

constexpr Kind kAllKinds[] = {{"tee", "a tee", {"\0", 1}},      {"trousers", "trousers", "\1"},
                              {"pullover", "a pullover", "\2"}, {"dress", "a dress", "\3"},
                              {"coat", "a coat", "\4"},         {"sandal", "a sandal", "\5"},
                              {"shirt", "a shirt", "\6"},       {"sneaker", "a sneaker", "\7"},
                              {"bag", "a bag", "\10"},          {"boot", "a boot", "\11"}};
// Of those that a network of this size confuses, one of each: shirts with sleeves short and long are shirts.
constexpr Kind kClearKinds[] = {{"shirt", "a shirt", {"\0\6", 2}},
                                {"trousers", "trousers", "\1"},
                                {"sandal", "a sandal", "\5"},
                                {"bag", "a bag", "\10"},
                                {"boot", "a boot", "\11"}};

std::span<const Kind> kinds_of(FashionKinds kinds) {
  return kinds == FashionKinds::kAll ? std::span<const Kind>(kAllKinds) : kClearKinds;
}

constexpr int64_t kCells = 3;  // of a row, and of a column
constexpr int64_t kCell = FashionScene::kSide / kCells;

/// The first `count` of 0 .. size-1 in a random order.
std::vector<int32_t> chosen(int64_t size, int64_t count, const Stream& stream) {
  std::vector<int32_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, stream);
  order.resize(static_cast<size_t>(count));
  return order;
}

std::string_view relation(int32_t cell, int32_t other) {
  const int64_t row = cell / kCells, other_row = other / kCells;
  if (row != other_row) return row < other_row ? "above" : "below";
  return cell < other ? "left of" : "right of";
}

void paste(const Image& article, const Box& box, Image& canvas) {
  for (int64_t y = 0; y < box.height; ++y) {
    for (int64_t x = 0; x < box.width; ++x) canvas.at(box.y + y, box.x + x, 0) = article.at(y, x, 0);
  }
}

/// Puts words behind a caption, each with the articles that it is about.
void say_words(FashionScene& scene, std::string_view words, const std::vector<int32_t>& about) {
  if (!scene.caption.empty()) scene.caption += ' ';
  scene.caption += words;
  const auto spaces = std::ranges::count(words, ' ');
  scene.places.insert(scene.places.end(), static_cast<size_t>(spaces) + 1, about);
}

void describe(FashionScene& scene, std::span<const Kind> kinds, std::span<const int32_t> named,
              std::span<const int32_t> cells) {
  say_words(scene, kinds[static_cast<size_t>(named[0])].phrase, {0});
  for (size_t i = 1; i < named.size(); ++i) {
    if (i > 1) scene.caption += ',';
    const auto other = static_cast<int32_t>(i);
    say_words(scene, relation(cells[0], cells[i]), {0, other});
    say_words(scene, kinds[static_cast<size_t>(named[i])].phrase, {other});
  }
}

IdxImages read_dataset(const FashionScenesOptions& options, const std::string& part) {
  const std::string stem = options.dataset + "/" + part + "-images-idx3-ubyte";
  if (!file_exists(stem) && !file_exists(stem + ".gz")) {
    throw_error<DataError>(
        "{}.gz: not there; install Debian's package: apt-get install dataset-fashion-mnist. Without root: "
        "apt-get download dataset-fashion-mnist && dpkg -x dataset-fashion-mnist_*.deb fashion, and give "
        "--dataset fashion/usr/share/datasets/fashion-mnist",
        stem);
  }
  return read_idx_images(options.dataset, part);
}

void write_plain(const fs::path& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  file.close();
  if (!file) throw_error<IoError>("{}: cannot be written; is there space left?", path.string());
}

/// "scenes/" is scenes.
std::string without_slash(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

/// Files of the folder in a place beside it, which takes the folder's name when all are there.
class PartialFolder {
 public:
  explicit PartialFolder(const std::string& target) : target_(without_slash(target)) {
    if (target_.empty()) throw_error<ConfigError>("--output is empty: the folder to write");
    std::error_code error;
    if (fs::exists(target_, error)) {
      throw_error<ConfigError>("{}: it is there already; remove it or give another --output", target);
    }
    fs::create_directories(target_.parent_path(), error);
    std::string place = target_.string() + ".partial.XXXXXX";
    // A name that nothing has: a folder of the user may have any that could be guessed.
    if (mkdtemp(place.data()) == nullptr) {
      throw_error<IoError>("cannot write {}: {}; choose another folder", target, reason(errno));
    }
    place_ = place;
  }
  ~PartialFolder() {
    std::error_code ignored;
    fs::remove_all(place_, ignored);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;

  /// To be made, inside the place that is its owner's alone: this one gets the usual permissions.
  fs::path path() const { return place_ / "scenes"; }
  void commit() {
    std::error_code error;
    fs::rename(path(), target_, error);
    if (error) throw_error<IoError>("{}: {}", target_.string(), error.message());
  }

 private:
  fs::path target_, place_;
};

/// One file of scenes.
struct Part {
  const char* name;
  int64_t scenes;
  uint64_t stream;
};

WrittenFile write_part(const SceneMaker& maker, const Part& part, const FashionScenesOptions& options,
                       const fs::path& folder) {
  std::string lines;
  const Stream stream(static_cast<uint64_t>(options.seed), {part.stream});
  for (int64_t i = 0; i < part.scenes; ++i) {
    const FashionScene scene = maker.make(options.most_articles, stream.sub(static_cast<uint64_t>(i)));
    const std::string name = fmt::format("{}-{:06}.png", part.name, i);
    write_plain(folder / "images" / name, encode_png(scene.image));
    lines += scene.to_json(name).dump() + "\n";
  }
  const std::string file = std::string(part.name) + ".jsonl";
  write_plain(folder / file, lines);
  return {.path = without_slash(options.output) + "/" + file, .rows = part.scenes};
}

}  // namespace

nlohmann::ordered_json FashionScene::to_json(const std::string& name) const {
  nlohmann::ordered_json json{{"image", name}, {"caption", caption}};
  for (const SceneArticle& article : articles) {
    const Box& box = article.box;
    json["articles"].push_back({{"name", article.name}, {"box", {box.x, box.y, box.width, box.height}}});
  }
  json["places"] = places;
  return json;
}

SceneMaker::SceneMaker(const IdxImages& images, FashionKinds kinds, const std::function<bool(int64_t)>& takes)
    : images_(images), kinds_(kinds) {
  if (images.width > kCell || images.height > kCell) {
    throw_error<DataError>("fashion scenes: pictures of {}x{} pixels do not fit cells of {}", images.width,
                           images.height, kCell);
  }
  for (const Kind& kind : kinds_of(kinds)) {
    pictures_.emplace_back();
    for (int64_t i = 0; i < images.size(); ++i) {
      const bool such =
          takes(i) && kind.labels.find(images.labels[static_cast<size_t>(i)]) != std::string_view::npos;
      if (such) pictures_.back().push_back(static_cast<int32_t>(i));
    }
    if (pictures_.back().empty()) throw_error<DataError>("fashion scenes: there is no {}", kind.name);
  }
}

FashionScene SceneMaker::make(int64_t most_articles, const Stream& stream) const {
  const std::span<const Kind> kinds = kinds_of(kinds_);
  const Stream numbers = stream.sub(0);
  const auto count = 2 + static_cast<int64_t>(numbers.below(0, static_cast<uint64_t>(most_articles - 1)));
  std::vector<int32_t> named = chosen(static_cast<int64_t>(kinds.size()), count, stream.sub(1));
  std::ranges::sort(named);
  const std::vector<int32_t> cells = chosen(kCells * kCells, count, stream.sub(2));
  FashionScene scene{.image = filled_image(FashionScene::kSide, FashionScene::kSide, 1)};
  for (size_t i = 0; i < named.size(); ++i) {
    const std::vector<int32_t>& pictures = pictures_[static_cast<size_t>(named[i])];
    const int32_t picture = pictures[numbers.below(3 * i + 1, pictures.size())];
    const auto off = [&](size_t number, int64_t side) {
      return static_cast<int64_t>(numbers.below(number, static_cast<uint64_t>(kCell - side + 1)));
    };
    const Box box{.x = cells[i] % kCells * kCell + off(3 * i + 2, images_.width),
                  .y = cells[i] / kCells * kCell + off(3 * i + 3, images_.height),
                  .width = images_.width,
                  .height = images_.height};
    paste(images_.image(picture), box, scene.image);
    scene.articles.push_back({.name = std::string(kinds[static_cast<size_t>(named[i])].name), .box = box});
  }
  describe(scene, kinds, named, cells);
  return scene;
}

std::vector<WrittenFile> write_fashion_scenes(const FashionScenesOptions& options) {
  const IdxImages train = read_dataset(options, "train"), test = read_dataset(options, "t10k");
  constexpr int64_t kTenth = 10;  // every tenth training picture is for dev
  const SceneMaker makers[] = {
      SceneMaker(train, options.kinds, [](int64_t i) { return i % kTenth != 0; }),
      SceneMaker(train, options.kinds, [](int64_t i) { return i % kTenth == 0; }),
      SceneMaker(test, options.kinds, [](int64_t) { return true; }),
  };
  const Part parts[] = {{"train", options.train, 1}, {"dev", options.dev, 2}, {"test", options.test, 3}};
  PartialFolder folder(options.output);
  std::error_code error;
  if (!fs::create_directories(folder.path() / "images", error)) {
    throw_error<IoError>("{}: {}", folder.path().string(), error.message());
  }
  std::vector<WrittenFile> files;
  for (size_t i = 0; i < std::size(parts); ++i) {
    files.push_back(write_part(makers[i], parts[i], options, folder.path()));
  }
  folder.commit();
  return files;
}

}  // namespace rondo
