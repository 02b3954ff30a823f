#include "measure_captioner.h"

#include <array>
#include <chrono>
#include <map>
#include <set>
#include <span>

#include "base/errors.h"
#include "base/files.h"
#include "console.h"
#include "data/scene_truth.h"
#include "inference/caption_places.h"
#include "storage/captioner_file.h"
#include "text_input.h"
#include "training/caption_corpus.h"
#include "training/captioner_evaluation.h"

namespace rondo::app {

namespace {

PictureSet read_set(const PictureCaptioner& captioner, const CaptionCorpus& corpus,
                    const CaptionMeasureOptions& options, Backend& backend) {
  const CaptionerOptions& model = captioner.model().options();
  if (model.given()) {
    if (options.features.empty()) {
      throw_error<ConfigError>("--features is missing: the model reads regions of another network");
    }
    const FeatureFile features = read_features(options.features);
    if (features.regions() != model.regions || features.region_size() != model.region_size) {
      throw_error<DataError>("{}: features of {} regions of {} numbers, the model reads {} of {}",
                             features.path, features.regions(), features.region_size(), model.regions,
                             model.region_size);
    }
    return regions_of(corpus, features);
  }
  if (!options.features.empty()) {
    throw_error<ConfigError>("--features: the model reads pictures; give their folder by --images");
  }
  if (options.images.empty()) throw_error<ConfigError>("--images is missing: the folder of the pictures");
  return pictures_of(corpus, options.images, captioner.model().picture_shape(), backend.threads());
}

PlaceScore score_places(const CaptionCorpus& corpus, std::span<const ImageSize> sizes,
                        const std::vector<SceneTruth>& truth,
                        const std::vector<std::vector<PictureCaption>>& found, int64_t side) {
  std::map<std::string, const SceneTruth*> scenes;
  std::set<std::string> names;
  for (const SceneTruth& scene : truth) {
    scenes[scene.image] = &scene;
    for (const SceneArticle& article : scene.articles) names.insert(article.name);
  }
  const std::vector<std::string> known(names.begin(), names.end());
  PlaceScore score;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto scene = scenes.find(corpus.images[i].name);
    if (scene == scenes.end()) continue;
    add_places(found[i].front(), scene->second->articles, sizes[i], side, known, score);
  }
  return score;
}

/// The best captions, and what people say of the same pictures.
struct Compared {
  std::vector<std::string> captions;
  std::vector<std::vector<std::string>> references;
  std::string lines;  ///< picture, tab, caption
};

Compared compared(const CaptionCorpus& corpus, const std::vector<std::vector<PictureCaption>>& found) {
  Compared result;
  for (size_t i = 0; i < found.size(); ++i) {
    result.captions.push_back(found[i].front().text);
    result.lines += corpus.images[i].name + "\t" + one_line(found[i].front().text) + "\n";
    std::vector<std::string>& references = result.references.emplace_back();
    for (const Caption& one : corpus.images[i].captions) references.push_back(one.text);
  }
  return result;
}

}  // namespace

int measure_captioner(const ModelFile& file, const std::string& path, const std::string& input,
                      const ReadOptions& read, const CaptionMeasureOptions& options,
                      const TranslateOptions& search, const std::string& output,
                      const InferenceOptions& inference, bool json, Backend& backend) {
  check_not_overwritten(output, "output", std::array{path, input, options.features});
  const CaptionCorpus corpus = read_captions(input, {.format = read.format,
                                                     .image_column = options.image_column,
                                                     .caption_column = options.caption_column,
                                                     .header = read.header,
                                                     .quotes = read.quotes,
                                                     .replace_invalid = read.replace_invalid});
  if (!options.images.empty()) {
    check_not_overwritten(output, "output", picture_paths(corpus, options.images));
  }
  say("{}: {} captions of {} pictures ({})\n", corpus.name, corpus.num_captions(), corpus.images.size(),
      corpus.format);
  const PictureCaptioner captioner(unpack_captioner(file, path), backend, inference);
  const CaptionerOptions& model = captioner.model().options();
  std::vector<SceneTruth> truth;
  if (model.attends() && !model.given()) truth = read_scene_truth(input);
  const CaptionOptions caption{.beam = search.search.beam,
                               .alpha = search.search.alpha,
                               .min_length = search.search.min_length,
                               .max_length = options.max_length,
                               .batch = search.batch,
                               .attention = !truth.empty()};
  const auto begin = std::chrono::steady_clock::now();
  const PictureSet pictures = read_set(captioner, corpus, options, backend);
  const auto found = captioner.caption(pictures, caption);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  say("captioned in {:.1f} s, beam {}\n", seconds.count(), caption.beam);
  const Compared all = compared(corpus, found);
  if (!output.empty()) write_file(output, all.lines);
  const CaptionScores scores = score_captions(captioner.model().text, all.captions, all.references);
  nlohmann::ordered_json figures = scores.to_json();
  std::string lines = scores.lines();
  if (!truth.empty()) {
    const PlaceScore places = score_places(corpus, pictures.sizes, truth, found, model.region_side());
    figures["article_words"] = places.words;
    figures["on_article"] = places.share();
    lines +=
        fmt::format("looked at {:.4f} of {} article words, at the article\n", places.share(), places.words);
  }
  put_text(json ? figures.dump(2) + "\n" : lines);
  return 0;
}

}  // namespace rondo::app
