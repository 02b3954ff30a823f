// What a model did with a text: every gate, cell state and hidden state of every layer, as numbers.
//   auto trace = rondo::Trace::of("news.rondo", "Shares rose after the talks");
//   float forget = trace.find("f").at(2, 17);   // of unit 17 after the third token
// Values have the bits of inference on that text. `rondo unroll` prints how they come about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "rondo/errors.h"

namespace rondo {

/// One kind of number of one direction of one layer over the tokens of a text.
struct TraceSeries {
  std::string part;        ///< "", a translator's "encoder" or "decoder", or a tagger's "characters"
  int64_t layer = 0;       ///< from 0, the one that reads the tokens
  bool reverse = false;    ///< the direction that reads from the end; its steps too stand in the text's order
  int64_t dimension = -1;  ///< of a grid: 0 depth, 1 time; else -1
  std::string name;        ///< i f o g c h (lstm; without a gate without its name), r z n h (gru), h (rnn)
  size_t steps = 0, units = 0;
  std::vector<float> values;  ///< [steps, units]

  /// @throws ShapeError for a step or unit that is not there.
  float at(size_t step, size_t unit) const;
};

struct Trace {
  std::vector<std::string> tokens;         ///< that the network read
  std::vector<std::string> target_tokens;  ///< of a translator: that it wrote
  std::vector<TraceSeries> series;         ///< in the order of computation
  /// With a gradient: its size with respect to each token, the root of the sum of squares over the token's
  /// vector, and how much the token speaks for the output: gradient times vector.
  std::vector<float> connectivity, contribution;
  std::string gradient_of;  ///< "log p(Sports)", or "" without

  /// A model of any kind and a text. @param gradient  also that of what the model says: of its best label, of
  /// a language model's last token, of the tag of the last word, of the translation.
  /// @throws as Classifier::load(); DataError if the text is not UTF-8; ConfigError for a gradient in int8,
  /// which has none.
  static Trace of(const std::string& path, const std::string& text, bool gradient = false);

  /// The series of this name of a layer. @throws ConfigError if there is none, with what there is.
  const TraceSeries& find(const std::string& name, int64_t layer = 0, bool reverse = false,
                          const std::string& part = "") const;
};

}  // namespace rondo
