#include "data/scene_truth.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/errors.h"
#include "data/labelled.h"
#include "data/text_lines.h"
#include "data/wording.h"

namespace rondo {

namespace {

using nlohmann::json;

// Nothing for another form.
std::optional<SceneArticle> article_of(const json& one) {
  if (!one.is_object() || !one.contains("name") || !one.contains("box")) return std::nullopt;
  const json &name = one.at("name"), &box = one.at("box");
  if (!name.is_string() || !box.is_array() || box.size() != 4) return std::nullopt;
  for (const json& side : box) {
    if (!side.is_number_integer() || side.get<int64_t>() < 0 || side.get<int64_t>() > 65535)
      return std::nullopt;
  }
  return SceneArticle{
      .name = name.get<std::string>(),
      .box = {box[0].get<int64_t>(), box[1].get<int64_t>(), box[2].get<int64_t>(), box[3].get<int64_t>()}};
}

}  // namespace

bool holds(const ImageSize& picture, const Box& box) {
  return box.x + box.width <= picture.width && box.y + box.height <= picture.height;
}

int32_t middle_region(const Box& box, const ImageSize& picture, int64_t side) {
  const auto along = [&](int64_t at, int64_t size, int64_t pixels) {
    return std::clamp<int64_t>((2 * at + size) * side / (2 * pixels), 0, side - 1);
  };
  const int64_t row = along(box.y, box.height, picture.height);
  return static_cast<int32_t>(row * side + along(box.x, box.width, picture.width));
}

std::vector<SceneTruth> read_scene_truth(const std::string& path) {
  std::vector<SceneTruth> scenes;
  if (path == "-" || format_by_name(path) != TextFormat::kJsonl) return scenes;
  TextLines lines(path, InvalidBytes::kReplace);
  while (const std::optional<std::string> line = lines.next()) {
    if (trim(*line).empty()) continue;
    const json object = json::parse(*line, nullptr, /*allow_exceptions=*/false);
    const bool scene = object.is_object() && object.contains("image") && object["image"].is_string() &&
                       object.contains("articles") && object["articles"].is_array();
    if (!scene && scenes.empty()) return scenes;
    SceneTruth truth{.image = {}, .articles = {}, .line = lines.line()};
    bool good = scene;
    if (scene) truth.image = object["image"].get<std::string>();
    for (const json& one : scene ? object["articles"] : json::array()) {
      const std::optional<SceneArticle> article = article_of(one);
      good = good && article;
      if (article) truth.articles.push_back(*article);
    }
    if (!good) {
      throw_error<DataError>(
          "{}:{}: the first line tells where articles stand; this one must, too: \"articles\": [{{\"name\": "
          "\"boot\", \"box\": [x, y, width, height]}}, ...] in whole pixels from 0 to 65535",
          lines.name(), lines.line());
    }
    scenes.push_back(std::move(truth));
  }
  return scenes;
}

}  // namespace rondo
