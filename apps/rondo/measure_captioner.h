// What `rondo evaluate` does with a captioner.
#pragma once

#include "data/labelled.h"
#include "inference/text_translator.h"
#include "storage/model_file.h"

namespace rondo::app {

/// Options of `rondo evaluate` that are those of captioners alone; beam search's are a translator's.
struct CaptionMeasureOptions {
  std::string images;
  std::string features;
  std::string image_column, caption_column;
  int64_t max_length = 30;

  template <class Visitor>
  void visit(Visitor& v) {
    v("images", images, "captioner: folder of the pictures that the input's captions speak of");
    v("features", features, "captioner: their regions, of a model that was trained with --features");
    v("image-column", image_column, "captioner: name or number of the picture's column or JSON key");
    v("caption-column", caption_column, "captioner: name or number of the caption's column or JSON key");
    v("max-length", max_length, "captioner: tokens of a caption at most", Range{1, 1000});
  }
};

/// @param input  a table of captions; where it tells the places of articles (rondo data fashion-scenes), the
///               share of article words that look at them is measured too.
/// @param search  its beam, alpha, min-length and batch are taken.
/// @param output  file to write the captions to, or empty.
int measure_captioner(const ModelFile& file, const std::string& path, const std::string& input,
                      const ReadOptions& read, const CaptionMeasureOptions& options,
                      const TranslateOptions& search, const std::string& output,
                      const InferenceOptions& inference, bool json, Backend& backend);

}  // namespace rondo::app
