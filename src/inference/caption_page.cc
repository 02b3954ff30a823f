#include "inference/caption_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace rondo {

namespace {

// Larger pictures make a page of megabytes, and show no more.
constexpr int64_t kShown = 192;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// The longer side is kShown pixels.
Image shown(const Image& image) {
  const double scale = static_cast<double>(kShown) / static_cast<double>(std::max(image.width, image.height));
  const auto side = [&](int64_t pixels) {
    return std::max<int64_t>(1, std::llround(static_cast<double>(pixels) * scale));
  };
  return resize_image(with_channels(image, 3), side(image.width), side(image.height));
}

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1rem; font-weight: 600; margin: 2.2rem 0 0.3rem; overflow-wrap: anywhere; }
p.caption { font-size: 1.15rem; margin: 0 0 0.8rem; } p.caption small { opacity: 0.65; }
.words { display: flex; flex-wrap: wrap; gap: 0.9rem; }
figure { margin: 0; width: 12rem; } img { width: 100%; display: block; border-radius: 4px; }
figcaption { text-align: center; } figcaption small { opacity: 0.65; margin-left: 0.4em; }
)";

std::string figure(const Image& image, const std::string& word, const std::string& note,
                   const std::string& alt) {
  return fmt::format(
      "<figure><img alt=\"{}\" src=\"{}\"><figcaption>{}<small>{}</small></figcaption></figure>\n",
      escaped(alt), png_data_uri(image), escaped(word), escaped(note));
}

}  // namespace

Image attention_over(const Image& image, std::span<const float> weights, int64_t side) {
  constexpr std::array<float, 3> kTint = {255, 150, 30};
  constexpr float kDark = 0.35F, kTinted = 0.35F;
  const float most = std::max(1e-30F, *std::ranges::max_element(weights));
  Image map = filled_image(side, side, 1);
  for (size_t i = 0; i < map.bytes.size(); ++i) {
    map.bytes[i] = static_cast<uint8_t>(std::lround(255 * std::clamp(weights[i] / most, 0.0F, 1.0F)));
  }
  map = resize_image(map, image.width, image.height);
  Image result = with_channels(image, 3);
  for (size_t i = 0; i < result.bytes.size(); ++i) {
    const float light = static_cast<float>(map.bytes[i / 3]) / 255;
    const float tint = kTinted * light;
    const float pixel = static_cast<float>(result.bytes[i]) * (kDark + (1 - kDark) * light);
    result.bytes[i] = static_cast<uint8_t>(std::lround((1 - tint) * pixel + tint * kTint[i % 3]));
  }
  return result;
}

void CaptionPage::add(const std::string& name, const Image& image, const PictureCaption& caption,
                      int64_t side) {
  const Image picture = shown(image);
  sections_ += fmt::format(
      "<section>\n<h2>{}</h2>\n<p class=\"caption\">{} <small>log p = {:.3f}</small></p>\n<div "
      "class=\"words\">\n",
      escaped(name), escaped(caption.text), caption.log_probability);
  sections_ += figure(picture, "the picture", "", name);
  const auto regions = static_cast<size_t>(side * side);
  for (size_t t = 0; t < caption.tokens.size(); ++t) {
    const std::span<const float> weights = std::span(caption.attention).subspan(t * regions, regions);
    const std::string& word = caption.tokens[t];
    sections_ += figure(attention_over(picture, weights, side), word,
                        fmt::format("{:.0f} %", 100 * *std::ranges::max_element(weights)),
                        fmt::format("where '{}' looks", word));
  }
  sections_ += "</div>\n</section>\n";
}

std::string CaptionPage::html() const {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>Where each word "
      "looks</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<h1>Where each word looks</h1>\n<p>Light is the attention of a word over the picture's regions, drawn "
      "smoothly, in parts of its greatest weight, which stands beside the word. The last one is the end of "
      "the "
      "caption.</p>\n{}</body>\n</html>\n",
      kStyle, sections_);
}

}  // namespace rondo
