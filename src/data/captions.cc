#include "data/captions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "base/errors.h"
#include "base/files.h"
#include "base/random.h"
#include "data/parallel_source.h"
#include "data/wording.h"

namespace rondo {

namespace {

constexpr std::array<std::string_view, 6> kImageWords = {"image",    "picture",   "file",
                                                         "filename", "file name", "name"};
constexpr std::array<std::string_view, 5> kCaptionWords = {"caption", "text", "sentence", "comment",
                                                           "description"};
constexpr PairWording kWording{.source_words = kImageWords,
                               .target_words = kCaptionWords,
                               .source_option = "image-column",
                               .target_option = "caption-column",
                               .rows = "pictures and captions",
                               .columns = "a picture and its caption",
                               .advice = ""};

constexpr uint64_t kSplitStream = 0x696D61676573;  // "images": no other use of the seed gets these numbers

// "dog.jpg#3" is the fourth caption of dog.jpg.
std::string without_number(std::string_view name) {
  const size_t digits = name.find_last_not_of("0123456789");
  const bool numbered =
      digits != std::string_view::npos && digits > 0 && name[digits] == '#' && digits + 1 < name.size();
  return std::string(numbered ? name.substr(0, digits) : name);
}

}  // namespace

int64_t CaptionCorpus::num_captions() const {
  return std::accumulate(
      images.begin(), images.end(), int64_t{0},
      [](int64_t sum, const CaptionedImage& one) { return sum + static_cast<int64_t>(one.captions.size()); });
}

std::string CaptionedImage::place(const Caption& caption) const {
  return fmt::format("{}:{}", file, caption.line);
}

CaptionCorpus read_captions(const std::string& path, const CaptionFormat& format) {
  const std::unique_ptr<ParallelSource> rows = open_table(path,
                                                          {.format = format.format,
                                                           .source_column = format.image_column,
                                                           .target_column = format.caption_column,
                                                           .header = format.header,
                                                           .quotes = format.quotes,
                                                           .replace_invalid = format.replace_invalid},
                                                          kWording);
  CaptionCorpus corpus{.name = input_name(path), .format = rows->format(), .images = {}, .warnings = {}};
  std::unordered_map<std::string, size_t> known;
  while (std::optional<SentencePair> row = rows->next()) {
    const std::string image = without_number(trim(row->source));
    const std::string_view caption = trim(row->target);
    if (image.empty() || caption.empty()) {
      throw_error<DataError>("{}:{}: {}; take the row out", corpus.name, row->line,
                             image.empty()
                                 ? "a caption without a picture"
                                 : fmt::format("the picture '{}' without a caption", shorten(image)));
    }
    const auto [at, added] = known.emplace(image, corpus.images.size());
    if (added) corpus.images.push_back({.name = image, .file = corpus.name, .captions = {}});
    corpus.images[at->second].captions.push_back({.text = std::string(caption), .line = row->line});
  }
  if (corpus.images.empty()) {
    throw_error<DataError>("{}: no captions ({}), expected rows of pictures and captions", corpus.name,
                           corpus.format);
  }
  if (rows->replaced_lines() > 0) {
    corpus.warnings.push_back(fmt::format("{}: {} lines hold bytes that are not UTF-8; they were replaced",
                                          corpus.name, rows->replaced_lines()));
  }
  return corpus;
}

CaptionCorpus take_dev_images(CaptionCorpus& corpus, double fraction, uint64_t seed) {
  const size_t size = corpus.images.size();
  if (size < 2) {
    throw_error<DataError>("{}: one picture; two at least are needed to hold one out, or give --dev-captions",
                           corpus.name);
  }
  std::vector<int32_t> order(size);
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, Stream(seed, {kSplitStream}));
  const auto count = static_cast<size_t>(std::llround(fraction * static_cast<double>(size)));
  std::vector<bool> taken(size, false);
  for (size_t i = 0; i < std::clamp<size_t>(count, 1, size - 1); ++i) {
    taken[static_cast<size_t>(order[i])] = true;
  }
  CaptionCorpus dev{.name = corpus.name, .format = corpus.format, .images = {}, .warnings = {}};
  std::vector<CaptionedImage> kept;
  for (size_t i = 0; i < size; ++i) (taken[i] ? dev.images : kept).push_back(std::move(corpus.images[i]));
  corpus.images = std::move(kept);
  return dev;
}

}  // namespace rondo
