#include "training/caption_corpus.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <set>
#include <unordered_map>

#include "base/errors.h"
#include "base/files.h"
#include "base/random.h"
#include "data/scene_truth.h"
#include "data/wording.h"
#include "training/file_check.h"
#include "training/text_coder.h"

namespace rondo {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t kBatchStream = 0x63617074696F6E73;  // "captions": a random stream under the run's seed

bool names_picture(const std::string& path) {
  std::string ending = fs::path(path).extension().string();
  std::ranges::transform(ending, ending.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// Pictures of the folder that no caption speaks of: a warning, for a folder may hold the parts of a split.
void warn_of_others(const std::string& folder, const std::set<std::string>& known,
                    std::vector<std::string>& warnings) {
  int64_t others = 0;
  std::string first;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!names_picture(name) || known.contains(name)) continue;
    if (others++ == 0 || name < first) first = name;
  }
  if (others == 0) return;
  warnings.push_back(fmt::format("{}: {} {} without a caption here and not used, such as {}", folder, others,
                                 others == 1 ? "picture is" : "pictures are", shorten(first)));
}

CaptionCorpus joined(CaptionCorpus train, const CaptionCorpus& dev) {
  train.images.insert(train.images.end(), dev.images.begin(), dev.images.end());
  return train;
}

std::vector<std::string> texts_of(const CaptionCorpus& corpus) {
  std::vector<std::string> texts;
  for (const CaptionedImage& image : corpus.images) {
    for (const Caption& caption : image.captions) texts.push_back(caption.text);
  }
  return texts;
}

void check_vocabulary(const CaptionData& data, const std::string& name) {
  if (data.text.vocabulary.size() > 3) return;  // beside the unknown word and the end
  throw_error<DataError>(
      "{}: its captions have fewer than two different words; lower --min-count or give more captions", name);
}

void number_train(const CaptionTask& task, const CaptionCorpus& corpus, CaptionData& data) {
  int64_t left_out = 0;
  std::string first;
  for (size_t i = 0; i < corpus.images.size(); ++i) {
    const CaptionedImage& image = corpus.images[i];
    for (const Caption& caption : image.captions) {
      CaptionIds ids{.picture = static_cast<int32_t>(i), .ids = data.text.encode(caption.text)};
      if (static_cast<int64_t>(ids.ids.size()) > task.corpus.max_length) {
        if (left_out++ == 0) first = image.place(caption);
        continue;
      }
      data.train.push_back(std::move(ids));
      data.lines.push_back(caption.line);
    }
  }
  if (data.train.empty()) {
    throw_error<DataError>("{}: no caption has at most {} tokens; raise --max-length", corpus.name,
                           task.corpus.max_length);
  }
  if (left_out == 0) return;
  data.warnings.push_back(
      fmt::format("{}: {} captions of more than {} tokens left out (--max-length), the first "
                  "at {}",
                  corpus.name, left_out, task.corpus.max_length, first));
}

void number_dev(const CaptionTask& task, const CaptionCorpus& corpus, size_t first, CaptionData& data) {
  int64_t unknown = 0, tokens = 0;
  for (size_t i = 0; i < corpus.images.size(); ++i) {
    const auto picture = static_cast<int32_t>(first + i);
    data.dev_pictures.push_back(picture);
    std::vector<std::string>& references = data.dev_references.emplace_back();
    for (const Caption& caption : corpus.images[i].captions) {
      references.push_back(caption.text);
      CaptionIds ids{.picture = picture, .ids = data.text.encode(caption.text)};
      unknown += std::count(ids.ids.begin(), ids.ids.end(), Vocabulary::kUnknown);
      tokens += static_cast<int64_t>(ids.ids.size());
      if (static_cast<int64_t>(ids.ids.size()) > task.corpus.max_length) {
        ids.ids.resize(static_cast<size_t>(task.corpus.max_length));
      }
      data.dev.push_back(std::move(ids));
    }
  }
  data.unknown_share = static_cast<double>(unknown) / static_cast<double>(std::max<int64_t>(1, tokens));
}

/// Of each picture: the region of each word that names an article.
using WordRegions = std::map<std::string, std::map<int32_t, int32_t>>;

WordRegions word_regions(const CaptionTask& task, const CaptionCorpus& corpus, const CaptionData& data) {
  if (data.pictures.sizes.size() < corpus.images.size()) {
    throw_error<ConfigError>("--taught-attention needs pictures; the places of --features are not known");
  }
  std::map<std::string, ImageSize> sizes;  // of the pictures to learn from, which stand first
  for (size_t i = 0; i < corpus.images.size(); ++i) sizes[corpus.images[i].name] = data.pictures.sizes[i];
  WordRegions regions;
  for (const SceneTruth& scene : read_scene_truth(task.files.captions)) {
    const auto size = sizes.find(scene.image);
    if (size == sizes.end()) continue;  // held out
    for (const SceneArticle& article : scene.articles) {
      if (!holds(size->second, article.box)) {
        throw_error<DataError>("{}:{}: the box of '{}' leaves the picture '{}' of {} x {} pixels",
                               corpus.name, scene.line, shorten(article.name), shorten(scene.image),
                               size->second.width, size->second.height);
      }
      const int32_t word = data.text.vocabulary.id(article.name);
      if (word == Vocabulary::kUnknown) continue;
      regions[scene.image][word] = middle_region(article.box, size->second, task.model.region_side());
    }
  }
  if (regions.empty()) {
    throw_error<DataError>(
        "{}: --taught-attention needs a file of JSON lines with \"articles\" whose names are words of the "
        "captions: rondo data fashion-scenes writes such",
        corpus.name);
  }
  return regions;
}

void find_looks(const CaptionTask& task, const CaptionCorpus& corpus, CaptionData& data) {
  const WordRegions regions = word_regions(task, corpus, data);
  for (CaptionIds& caption : data.train) {
    const auto scene = regions.find(corpus.images[static_cast<size_t>(caption.picture)].name);
    if (scene == regions.end()) continue;
    for (const int32_t id : caption.ids) {
      const auto region = scene->second.find(id);
      caption.looks.push_back(region == scene->second.end() ? -1 : region->second);
    }
  }
}

void check_inputs(const CaptionTask& task) {
  if (task.files.images.empty() == task.files.features.empty()) {
    throw_error<ConfigError>("give --images DIR, or --features FILE of regions that another network made{}",
                             task.files.images.empty() ? "" : ", not both");
  }
  if (task.files.features.empty() && task.model.given()) {
    throw_error<ConfigError>("--regions and --region-size are set by --features; leave them out");
  }
}

void read_pictures_of(CaptionTask& task, const CaptionCorpus& all, ThreadPool& threads, CaptionData& data) {
  if (!task.files.features.empty()) {
    const FeatureFile features = read_features(task.files.features);
    task.model.regions = features.regions();
    task.model.region_size = features.region_size();
    task.model.check();
    data.pictures = regions_of(all, features);
    return;
  }
  task.model.check();
  check_not_overwritten(picture_paths(all, task.files.images), task.files.run);
  data.pictures =
      pictures_of(all, task.files.images, {task.model.image_size, task.model.channels()}, threads);
  warn_of_others(task.files.images, {data.names.begin(), data.names.end()}, data.warnings);
}

}  // namespace

std::vector<std::string> picture_paths(const CaptionCorpus& corpus, const std::string& folder) {
  std::vector<std::string> paths;
  for (const CaptionedImage& image : corpus.images) paths.push_back((fs::path(folder) / image.name).string());
  return paths;
}

PictureSet pictures_of(const CaptionCorpus& corpus, const std::string& folder, const PictureShape& shape,
                       ThreadPool& threads) {
  const std::vector<std::string> paths = picture_paths(corpus, folder);
  int64_t missing = 0;
  const CaptionedImage* first = nullptr;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (file_exists(paths[i])) continue;
    const CaptionedImage& image = corpus.images[i];
    ++missing;
    const bool earlier = first != nullptr && image.file == first->file &&
                         image.captions.front().line < first->captions.front().line;
    if (first == nullptr || earlier) first = &image;
  }
  if (first != nullptr) {
    throw_error<DataError>("{}: no picture '{}' in {} ({} of {} are missing); check --images",
                           first->place(first->captions.front()), shorten(first->name), folder, missing,
                           paths.size());
  }
  return read_pictures(paths, shape, threads);
}

PictureSet regions_of(const CaptionCorpus& corpus, const FeatureFile& features) {
  std::unordered_map<std::string, int64_t> numbers;
  for (size_t i = 0; i < features.names.size(); ++i)
    numbers.emplace(features.names[i], static_cast<int64_t>(i));
  const auto count = static_cast<int64_t>(corpus.images.size());
  if (features.names.empty() && features.images() != count) {
    throw_error<DataError>(
        "{}: features of {} pictures, the captions speak of {}; name the pictures in its metadata, key "
        "images, "
        "as a JSON list",
        features.path, features.images(), count);
  }
  PictureSet set{.places = features.regions(),
                 .columns = features.region_size(),
                 .bytes = {},
                 .features = {},
                 .sizes = {}};
  set.features = Tensor({count, set.places, set.columns});
  const int64_t size = set.places * set.columns;
  for (int64_t i = 0; i < count; ++i) {
    const CaptionedImage& image = corpus.images[static_cast<size_t>(i)];
    const auto found = numbers.find(image.name);
    if (!features.names.empty() && found == numbers.end()) {
      throw_error<DataError>("{}: {} has no features of '{}'", image.place(image.captions.front()),
                             features.path, shorten(image.name));
    }
    const int64_t from = features.names.empty() ? i : found->second;
    std::copy_n(features.features.data<float>() + from * size, size, set.features.data<float>() + i * size);
  }
  return set;
}

CaptionData read_caption_data(CaptionTask& task, ThreadPool& threads) {
  check_inputs(task);
  CaptionCorpus train = read_captions(task.files.captions, task.corpus.read), dev;
  CaptionData data;
  data.format = train.format;
  data.warnings = train.warnings;
  if (task.files.dev_captions.empty()) {
    dev = take_dev_images(train, task.corpus.dev_fraction, static_cast<uint64_t>(task.loop.seed));
    data.dev_description = "pictures held out of the input";
  } else {
    dev = read_captions(task.files.dev_captions, task.corpus.read);
    data.dev_description = dev.name;
    data.warnings.insert(data.warnings.end(), dev.warnings.begin(), dev.warnings.end());
  }
  const CaptionCorpus all = joined(train, dev);
  for (const CaptionedImage& image : all.images) data.names.push_back(image.name);
  read_pictures_of(task, all, threads, data);
  data.text = build_coder({.tokenizer = task.model.tokenizer,
                           .subwords = task.corpus.subwords,
                           .min_count = task.corpus.min_count,
                           .max_vocabulary = task.corpus.max_vocabulary},
                          texts_of(train));
  check_vocabulary(data, train.name);
  number_train(task, train, data);
  if (task.steps.taught_attention > 0) find_looks(task, train, data);
  number_dev(task, dev, train.images.size(), data);
  return data;
}

std::vector<std::vector<int32_t>> plan_caption_batches(const std::vector<CaptionIds>& captions, int64_t batch,
                                                       uint64_t seed, int64_t epoch) {
  const Stream stream(seed, {kBatchStream, static_cast<uint64_t>(epoch)});
  std::vector<int32_t> order(captions.size());
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, stream.sub(0));
  std::map<size_t, std::vector<int32_t>> of_length;
  for (const int32_t caption : order)
    of_length[captions[static_cast<size_t>(caption)].ids.size()].push_back(caption);
  std::vector<std::vector<int32_t>> batches;
  for (const auto& [length, chosen] : of_length) {
    for (size_t first = 0; first < chosen.size(); first += static_cast<size_t>(batch)) {
      const size_t end = std::min(chosen.size(), first + static_cast<size_t>(batch));
      batches.emplace_back(chosen.begin() + static_cast<int64_t>(first),
                           chosen.begin() + static_cast<int64_t>(end));
    }
  }
  std::vector<int32_t> places(batches.size());
  std::iota(places.begin(), places.end(), 0);
  shuffle(places, stream.sub(1));
  std::vector<std::vector<int32_t>> shuffled;
  for (const int32_t place : places) shuffled.push_back(std::move(batches[static_cast<size_t>(place)]));
  return shuffled;
}

}  // namespace rondo
