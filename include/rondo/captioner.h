// A trained captioner: load a model file, get sentences that describe pictures.
//   auto captioner = rondo::Captioner::load("scenes.rondo");
//   std::string caption = captioner.caption("picture.jpg");
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// One caption of one picture.
struct PictureCaption {
  std::string text;
  double log_probability = 0;  ///< of the tokens and the end, natural logarithm
  double score = 0;            ///< what captions are ranked by: see the option alpha
  bool ended = true;           ///< false: cut at the greatest length

  std::vector<std::string> tokens;  ///< and the end, "</s>", if it ended
  std::vector<float> attention;  ///< [tokens, regions], row by row, where it is asked for; regions row by row
};

/// What `rondo caption` does.
class Captioner {
 public:
  /// Options by the names of the command: beam, alpha, min-length, max-length, batch, ...
  using Options = std::map<std::string, std::string>;

  /// @param threads  0: one for each processor that the process may use. Changes speed, never results.
  /// @param precision  of the products: "f32", "bf16" or "int8"; "model": the one that it was trained in.
  /// @throws IoError if the file cannot be read; FormatError if it is no captioner, cut or altered;
  /// ConfigError for another precision, and for a model whose regions are given.
  static Captioner load(const std::string& path, int threads = 0, const std::string& precision = "model");
  ~Captioner();
  Captioner(Captioner&&) noexcept;
  Captioner& operator=(Captioner&&) noexcept;

  /// The best caption of a JPEG or PNG file.
  /// @throws IoError; DataError if it is no picture, damaged or too large; ConfigError for an unknown option
  /// or a wrong value.
  std::string caption(const std::string& picture, const Options& options = {}) const;
  /// The same of many, faster: result i is that of picture i, the same in any company.
  std::vector<std::string> caption_all(const std::vector<std::string>& pictures,
                                       const Options& options = {}) const;
  /// The k best, the best first, with attention where the model has it.
  std::vector<PictureCaption> n_best(const std::string& picture, size_t k, const Options& options = {}) const;

  /// Regions along each side of a picture, that attention speaks of.
  size_t region_side() const;
  /// Numbers in the model.
  size_t parameters() const;

 private:
  struct State;
  explicit Captioner(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace rondo
