#include "data/picture_set.h"

#include <algorithm>
#include <utility>

#include "base/errors.h"

namespace rondo {

namespace {

/// Both sides to the same length: what stood at a share of the width stands there after it.
std::vector<uint8_t> resized(Image image, const PictureShape& shape) {
  return resize_image(with_channels(std::move(image), shape.channels), shape.side, shape.side).bytes;
}

PictureSet empty_set(const PictureShape& shape, size_t count) {
  PictureSet set{
      .places = shape.side * shape.side, .columns = shape.channels, .bytes = {}, .features = {}, .sizes = {}};
  set.bytes.resize(count * static_cast<size_t>(set.places * set.columns));
  return set;
}

}  // namespace

int64_t PictureSet::size() const {
  if (features) return features.dim(0);
  return places == 0 ? 0 : static_cast<int64_t>(bytes.size()) / (places * columns);
}

Tensor PictureSet::rows(std::span<const int32_t> numbers) const {
  const auto count = static_cast<int64_t>(numbers.size());
  const Tensor rows({places * count, columns});
  float* const to = rows.data<float>();
  for (int64_t k = 0; k < count; ++k) {
    const int64_t picture = numbers[static_cast<size_t>(k)];
    if (picture < 0 || picture >= size()) throw_error<ShapeError>("picture {} of {}", picture, size());
    for (int64_t i = 0; i < places; ++i) {
      float* const row = to + (i * count + k) * columns;
      const int64_t from = (picture * places + i) * columns;
      for (int64_t c = 0; c < columns; ++c) {
        row[c] = features ? features.data<float>()[from + c]
                          : static_cast<float>(bytes[static_cast<size_t>(from + c)]) / 255;
      }
    }
  }
  return rows;
}

PictureSet read_pictures(std::span<const std::string> paths, const PictureShape& shape, ThreadPool& threads) {
  PictureSet set = empty_set(shape, paths.size());
  const size_t size = paths.empty() ? 0 : set.bytes.size() / paths.size();
  set.sizes.resize(paths.size());
  // Of several broken files the first one is told, whichever thread meets one first.
  std::vector<std::string> broken(paths.size());
  threads.run(static_cast<int64_t>(paths.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    try {
      Image image = read_image(paths[at]);
      set.sizes[at] = image.size();
      std::ranges::copy(resized(std::move(image), shape),
                        set.bytes.begin() + static_cast<int64_t>(at * size));
    } catch (const DataError& error) {
      broken[at] = error.what();
    }
  });
  for (const std::string& message : broken) {
    if (!message.empty()) throw_error<DataError>("{}", message);
  }
  return set;
}

PictureSet picture_set(const Image& image, const PictureShape& shape) {
  PictureSet set = empty_set(shape, 0);
  set.bytes = resized(image, shape);
  set.sizes = {image.size()};
  return set;
}

}  // namespace rondo
