// A trained tagger: load a model file, ask it for a tag for every word.
//   auto model = rondo::Tagger::load("names.rondo");
//   const std::vector<std::string> words = {"Ada", "lives", "in", "London"};
//   for (const std::string& tag : model.tag(words)) ...   // B-PER O O B-LOC
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// A tag for every word of a sentence, and how probable all of them together are.
struct TagSequence {
  std::vector<std::string> tags;
  double log_probability = 0;  ///< natural logarithm
};

class Tagger {
 public:
  /// @param threads  0: one for each processor that the process may use. Changes speed, never results.
  /// @param precision  of the products: "f32", "bf16" or "int8"; "model": the one that it was trained in or
  /// quantized to.
  /// @throws IoError if the file cannot be read; FormatError if it is no tagger, cut or altered; ConfigError
  /// for another precision.
  static Tagger load(const std::string& path, int threads = 0, const std::string& precision = "model");
  ~Tagger();
  Tagger(Tagger&&) noexcept;
  Tagger& operator=(Tagger&&) noexcept;

  /// The most probable tags, one a word. The same alone as in any batch.
  /// @throws DataError if a word is not UTF-8.
  std::vector<std::string> tag(std::span<const std::string> words) const;
  /// The same for many sentences at once; result i is that of sentence i.
  std::vector<std::vector<std::string>> tag(std::span<const std::vector<std::string>> sentences) const;

  /// The `count` most probable sequences of tags, the best first; fewer where there are fewer.
  /// @throws ConfigError unless count is 1 to 1000.
  std::vector<TagSequence> n_best(std::span<const std::string> words, size_t count) const;
  /// p(word t has tag labels()[k]), one row a word, over all sequences of tags.
  std::vector<std::vector<float>> marginals(std::span<const std::string> words) const;

  /// All tags, in the model's order.
  const std::vector<std::string>& labels() const;
  /// Numbers in the model.
  size_t parameters() const;

 private:
  struct State;
  explicit Tagger(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace rondo
