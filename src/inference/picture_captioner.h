// Many pictures through one captioner: regions, beam search, text.
//   PictureCaptioner captioner(load_captioner("scenes.rondo"), backend, {});
//   auto found = captioner.caption(captioner.read(paths), {});   // found[3][0].text
#pragma once

#include <span>
#include <string>
#include <vector>

#include "inference/beam_search.h"
#include "inference/predictor.h"
#include "models/captioner_model.h"
#include "rondo/captioner.h"

namespace rondo {

struct CaptionOptions {
  int64_t beam = 5;
  double alpha = 0.6;
  int64_t n_best = 1;
  int64_t min_length = 0;
  int64_t max_length = 30;
  int64_t batch = 32;
  bool attention = false;  // no option: whether each word's attention is wanted

  template <class Visitor>
  void visit(Visitor& v) {
    v("beam", beam, "captions of each picture that are followed; 1 is greedy",
      Range{1, BeamOptions::kMostHypotheses});
    v("alpha", alpha,
      "length normalisation: a score is the log-probability over ((5 + tokens) / 6)^alpha; 0: none",
      Range{0, 10});
    v("n-best", n_best, "captions of each picture, the best first; at most --beam",
      Range{1, BeamOptions::kMostHypotheses});
    v("min-length", min_length, "tokens at least", Range{0, 1000});
    v("max-length", max_length, "tokens at most", Range{1, 1000});
    v("batch", batch, "pictures captioned together; changes speed, never results", Range{1, 10000});
  }

  BeamOptions search() const;
  /// @throws ConfigError for options that contradict each other.
  void check() const;
};

class PictureCaptioner {
 public:
  /// The backend must outlive it.
  PictureCaptioner(CaptionerModel model, Backend& backend, const InferenceOptions& inference);

  const CaptionerModel& model() const { return model_; }
  /// Pictures as the model reads them. @throws ConfigError where its regions are given; as read_pictures().
  PictureSet read(std::span<const std::string> paths) const;

  /// The n_best best captions of each picture, the best first. The same in any company, with any batch and
  /// number of threads.
  /// @throws ConfigError for options that do not fit the model.
  std::vector<std::vector<PictureCaption>> caption(const PictureSet& pictures,
                                                   const CaptionOptions& options) const;

 private:
  PictureCaption finish(Hypothesis found, const CaptionOptions& options) const;

  CaptionerModel model_;
  Backend* backend_;
};

}  // namespace rondo
