// Everything that decides what a captioner is (not how it is trained), declared once.
#pragma once

#include "layers/recurrent_options.h"
#include "text/tokenizer.h"

namespace rondo {

/// How a word looks at the picture: soft, at all regions by weight; hard, at one region; none, at the mean.
enum class CaptionAttention { kSoft, kHard, kNone };

template <>
inline constexpr auto kNames<CaptionAttention> =
    std::array{std::pair{CaptionAttention::kSoft, "soft"}, std::pair{CaptionAttention::kHard, "hard"},
               std::pair{CaptionAttention::kNone, "none"}};

struct CaptionerOptions {
  TokenizerKind tokenizer = TokenizerKind::kWords;
  int64_t embedding = 128;
  double embedding_range = 0.1;
  int64_t hidden = 256;
  Initialization init = Initialization::kTorch;
  double forget_bias = 1;
  CaptionAttention attention = CaptionAttention::kSoft;
  int64_t attention_size = 128;
  bool selector = true;
  bool places = true;
  int64_t image_size = 64;
  bool grey = false;
  int64_t filters = 16;
  int64_t blocks = 3;
  int64_t regions = 0;
  int64_t region_size = 0;
  double dropout = 0.3;
  Precision precision = Precision::kFloat32;

  template <class Visitor>
  void visit(Visitor& v) {
    v("tokenizer", tokenizer, "how a caption is cut into tokens");
    v("embedding", embedding, "numbers a token", Range{1, 65536});
    v("embedding-range", embedding_range, "initial embeddings are uniform within plus and minus this",
      Range{0, 10});
    v("hidden", hidden, "units of the LSTM that writes", Range{1, 65536});
    v("init", init, "initial weights by the rules of this framework");
    v("forget-bias", forget_bias, "added to the initial forget bias (init keras starts from 1)",
      Range{-20, 20});
    v("attention", attention,
      "how a word looks at the picture: soft, at all regions by weight; hard, at one that is drawn "
      "(REINFORCE); none, at their mean");
    v("attention-size", attention_size, "units of the hidden layer that scores a region", Range{1, 65536});
    v("selector", selector, "each word weighs how much of the picture it takes (a gate of the context)");
    v("places", places, "each region has a learnt vector of its place added");
    v("image-size", image_size, "pixels of the square that a picture is resized to", Range{2, 1024});
    v("grey", grey, "read pictures without their colours");
    v("filters", filters, "filters of the first convolution; each block behind it has twice as many",
      Range{1, 4096});
    v("blocks", blocks, "blocks of 3x3 convolution, ReLU and 2x2 maximum; each halves both sides",
      Range{1, 8});
    v("regions", regions, "regions of a picture where they are given; --features sets it", Range{0, 65536});
    v("region-size", region_size, "numbers of a given region; --features sets it", Range{0, 65536});
    v("dropout", dropout, "share dropped of what the softmax reads", Range{0, 0.99});
    v("precision", precision,
      "of the products: bf16 trains and runs with operands of half the size; int8 only runs");
  }

  /// Whether regions are given instead of computed from pixels.
  bool given() const { return regions > 0; }
  bool attends() const { return attention != CaptionAttention::kNone; }
  int64_t channels() const { return grey ? 1 : 3; }
  /// Regions along each side of a picture that is read by convolutions.
  int64_t region_side() const { return image_size >> blocks; }
  /// L.
  int64_t num_regions() const { return given() ? regions : region_side() * region_side(); }
  /// D.
  int64_t region_columns() const { return given() ? region_size : filters << (blocks - 1); }
  /// The LSTM, over an embedding and a context.
  RecurrentOptions decoder() const;
  int64_t decoder_input() const { return embedding + region_columns(); }
  /// Of the products outside the recurrent layer, which int8 is not for.
  Precision product_precision() const {
    return precision == Precision::kInt8 ? Precision::kFloat32 : precision;
  }
  /// Numbers of a network with this vocabulary; in double, for hostile sizes overflow integers.
  double num_values(int64_t vocabulary) const;
  /// @throws ConfigError for options that do not fit together.
  void check() const;
};

}  // namespace rondo
