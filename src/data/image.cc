#include "data/image.h"

#include <algorithm>
#include <cmath>

#include "base/errors.h"

namespace rondo {

namespace {

/// What a new pixel takes of the old ones along one axis: weights[i] of pixel first + i, their sum 1.
struct Taps {
  int64_t first = 0;
  std::vector<float> weights;
};

// The part of pixel i, which reaches from i to i + 1, that lies between `begin` and `end`.
float covered(int64_t i, double begin, double end) {
  const auto low = static_cast<double>(i);
  return static_cast<float>((std::min(end, low + 1) - std::max(begin, low)) / (end - begin));
}

std::vector<Taps> area_taps(int64_t from, int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    const double begin = static_cast<double>(i) * ratio;
    const double end = std::min(static_cast<double>(from), static_cast<double>(i + 1) * ratio);
    Taps taps{.first = static_cast<int64_t>(begin), .weights = {}};
    for (int64_t p = taps.first; p < from && static_cast<double>(p) < end; ++p) {
      taps.weights.push_back(covered(p, begin, end));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

std::vector<Taps> bilinear_taps(int64_t from, int64_t to) {
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Taps> all;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * ratio - 0.5;
    const double inside = std::clamp(centre, 0.0, static_cast<double>(from - 1));
    const int64_t first = std::min(static_cast<int64_t>(inside), std::max<int64_t>(from - 2, 0));
    const auto share = static_cast<float>(inside - static_cast<double>(first));
    Taps taps{.first = first, .weights = {1 - share}};
    if (from > 1) taps.weights.push_back(share);
    all.push_back(std::move(taps));
  }
  return all;
}

std::vector<Taps> taps_of(int64_t from, int64_t to) {
  return to < from ? area_taps(from, to) : bilinear_taps(from, to);
}

uint8_t rounded(float value) { return static_cast<uint8_t>(std::lround(std::clamp(value, 0.0F, 255.0F))); }

/// sums[x, c] += weight * row y of `image`, narrowed or widened. One row at a time: a picture may be a
/// million rows high.
void add_row(const Image& image, int64_t y, const std::vector<Taps>& columns, float weight,
             std::vector<float>& sums) {
  size_t out = 0;
  for (const Taps& taps : columns) {
    for (int64_t c = 0; c < image.channels; ++c) {
      float sum = 0;
      for (size_t i = 0; i < taps.weights.size(); ++i) {
        sum += taps.weights[i] * static_cast<float>(image.at(y, taps.first + static_cast<int64_t>(i), c));
      }
      sums[out++] += weight * sum;
    }
  }
}

}  // namespace

Image filled_image(int64_t width, int64_t height, int64_t channels, uint8_t value) {
  Image image{.width = width, .height = height, .channels = channels, .bytes = {}};
  image.bytes.assign(static_cast<size_t>(width * height * channels), value);
  return image;
}

Image with_channels(Image image, int64_t channels) {
  if (channels != 1 && channels != 3) {
    throw_error<ConfigError>("a picture has 1 channel (grey) or 3 (red, green, blue), not {}", channels);
  }
  if (image.channels == channels) return image;
  Image result = filled_image(image.width, image.height, channels);
  for (size_t p = 0; p < static_cast<size_t>(image.width * image.height); ++p) {
    if (channels == 3) {
      std::fill_n(result.bytes.begin() + static_cast<int64_t>(3 * p), 3, image.bytes[p]);
      continue;
    }
    const uint8_t* rgb = image.bytes.data() + 3 * p;
    // In whole numbers, so that every machine rounds alike.
    result.bytes[p] = static_cast<uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
  }
  return result;
}

Image resize_image(const Image& image, int64_t width, int64_t height) {
  constexpr int64_t kMostSide = 4096;
  if (std::min(width, height) < 1 || std::max(width, height) > kMostSide) {
    throw_error<ConfigError>("a picture is resized to sides of 1 to {} pixels, not to {}x{}", kMostSide,
                             width, height);
  }
  if (image.width == width && image.height == height) return image;
  const std::vector<Taps> columns = taps_of(image.width, width), rows = taps_of(image.height, height);
  Image result = filled_image(width, height, image.channels);
  std::vector<float> sums(static_cast<size_t>(width * image.channels));
  for (size_t y = 0; y < rows.size(); ++y) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (size_t i = 0; i < rows[y].weights.size(); ++i) {
      add_row(image, rows[y].first + static_cast<int64_t>(i), columns, rows[y].weights[i], sums);
    }
    std::transform(sums.begin(), sums.end(), result.bytes.begin() + static_cast<int64_t>(y * sums.size()),
                   rounded);
  }
  return result;
}

}  // namespace rondo
