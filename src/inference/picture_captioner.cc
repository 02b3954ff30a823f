#include "inference/picture_captioner.h"

#include <algorithm>
#include <numeric>

#include "base/errors.h"
#include "inference/captioner_search.h"

namespace rondo {

BeamOptions CaptionOptions::search() const {
  return {.beam = beam,
          .alpha = alpha,
          .n_best = n_best,
          .min_length = min_length,
          .max_ratio = 0,
          .max_extra = max_length,
          .keep_attention = attention,
          .forbidden = {Vocabulary::kUnknown}};
}

void CaptionOptions::check() const {
  search().check();
  if (min_length > max_length) {
    throw_error<ConfigError>("--min-length {} is above --max-length {}", min_length, max_length);
  }
}

PictureCaptioner::PictureCaptioner(CaptionerModel model, Backend& backend, const InferenceOptions& inference)
    : model_(std::move(model)), backend_(&backend) {
  model_.network->prepare(backend, precision_of(model_.options().precision, inference));
}

PictureSet PictureCaptioner::read(std::span<const std::string> paths) const {
  if (model_.options().given()) {
    throw_error<ConfigError>(
        "the model reads regions of another network, {} of {} numbers, not pictures; give --features FILE",
        model_.options().regions, model_.options().region_size);
  }
  return read_pictures(paths, model_.picture_shape(), backend_->threads());
}

PictureCaption PictureCaptioner::finish(Hypothesis found, const CaptionOptions& options) const {
  PictureCaption caption{.text = model_.text.decode(found.ids),
                         .log_probability = found.log_probability,
                         .score = found.score,
                         .ended = found.ended,
                         .tokens = {},
                         .attention = {}};
  for (const int32_t id : found.ids) caption.tokens.push_back(model_.text.vocabulary.token(id));
  if (found.ended) caption.tokens.emplace_back(Vocabulary::kEndToken);
  if (options.attention) {
    caption.attention = std::move(found.attention);
    caption.attention.resize(caption.tokens.size() * static_cast<size_t>(model_.options().num_regions()));
  }
  return caption;
}

std::vector<std::vector<PictureCaption>> PictureCaptioner::caption(const PictureSet& pictures,
                                                                   const CaptionOptions& options) const {
  options.check();
  if (options.attention && !model_.options().attends()) {
    throw_error<ConfigError>("attention: the model has none (it was trained with --attention none)");
  }
  std::vector<int32_t> numbers(static_cast<size_t>(pictures.size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::vector<std::vector<PictureCaption>> all;
  const auto together = static_cast<size_t>(options.batch);
  for (size_t first = 0; first < numbers.size(); first += together) {
    const size_t count = std::min(together, numbers.size() - first);
    CaptionerSearch search(model_, *backend_, pictures.rows(std::span(numbers).subspan(first, count)),
                           static_cast<int64_t>(count));
    for (std::vector<Hypothesis>& found : beam_search(search, options.search())) {
      std::vector<PictureCaption>& captions = all.emplace_back();
      for (Hypothesis& hypothesis : found) captions.push_back(finish(std::move(hypothesis), options));
    }
  }
  return all;
}

}  // namespace rondo
