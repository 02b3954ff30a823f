#include "models/captioner_options.h"

#include "base/errors.h"

namespace rondo {

RecurrentOptions CaptionerOptions::decoder() const {
  return {.cell = Cell::kLstm,
          .hidden = hidden,
          .init = init,
          .forget_bias = forget_bias,
          .precision = precision};
}

double CaptionerOptions::num_values(int64_t vocabulary) const {
  const auto e = static_cast<double>(embedding), h = static_cast<double>(hidden);
  const auto d = static_cast<double>(region_columns()), v = static_cast<double>(vocabulary);
  const auto size = static_cast<double>(attention_size);
  double total = v * e + v * (e + 1);                          // embeddings; the softmax
  total += decoder().num_values(decoder_input());              // the LSTM
  total += 2 * (h * (d + 1) + h * (h + 1)) + e * (h + d + 1);  // initial states; the deep output
  if (attends()) total += size * (h + d + 2);
  if (selector) total += h + 1;
  if (places) total += static_cast<double>(num_regions()) * d;
  for (int64_t block = 0; block < blocks && !given(); ++block) {
    const auto in = static_cast<double>(block == 0 ? channels() : filters << (block - 1));
    total += static_cast<double>(filters << block) * (9 * in + 1);
  }
  return total;
}

void CaptionerOptions::check() const {
  const CaptionerOptions defaults;
  decoder().check();
  if ((regions > 0) != (region_size > 0)) {
    throw_error<ConfigError>(
        "--regions {} and --region-size {}: regions are given with both; --features sets "
        "them",
        regions, region_size);
  }
  refuse_without_effect(attention_size != defaults.attention_size && !attends(), "attention-size",
                        "--attention soft or hard");
  if (given()) {
    const bool pixels =
        image_size != defaults.image_size || grey || filters != defaults.filters || blocks != defaults.blocks;
    refuse_without_effect(pixels, "image-size, --grey, --filters or --blocks", "pictures, not --features");
    return;
  }
  if (region_side() < 1 || region_side() << blocks != image_size) {
    throw_error<ConfigError>(
        "--image-size {}: {} blocks halve it {} times, so it must be a multiple of {}; take another "
        "--image-size "
        "or fewer --blocks",
        image_size, blocks, blocks, int64_t{1} << blocks);
  }
}

}  // namespace rondo
