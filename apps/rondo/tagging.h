// What predict, evaluate, quantize and info do with a tagger.
#pragma once

#include <optional>

#include "data/conll.h"
#include "inference/predictor.h"
#include "kernels/backend.h"
#include "layers/crf.h"
#include "storage/model_file.h"

namespace rondo::app {

/// What `rondo predict` can be told of a tagger's input and output.
struct TagOptions {
  bool append = false;
  int64_t n_best = 1;
  bool marginals = false;
  ConllOptions conll;

  template <class Visitor>
  void visit(Visitor& v) {
    v("append", append, "write tags in a new last column instead of in the place of the old ones");
    v("n-best", n_best, "most probable sequences of tags of each sentence, as JSON",
      Range{1, Crf::kMaxPaths});
    v("marginals", marginals, "the probability of every tag of every word, as JSON");
    conll.visit(v);
  }
};

struct TagCommand {
  TagOptions tags;
  bool json = false;
  bool confusion = false;
  bool lines = false;  ///< plain texts, a sentence a line, words by white space
  bool replace_invalid = false;
  bool unbuffered = false;
  InferenceOptions inference;
  std::vector<std::string> chosen = {};  ///< the options that the person wrote
};

/// @throws ConfigError for an option that was chosen and has no effect on this input.
int predict_tags(const ModelFile& file, const std::string& path, const std::string& input,
                 const TagCommand& command, Backend& backend);

/// Prints the figures on a file with tags.
int evaluate_tags(const ModelFile& file, const std::string& path, const std::string& input,
                  const TagCommand& command, Backend& backend);

/// A figure on a file with tags, better when higher: F1 of spans, or the accuracy.
std::pair<std::string, double> measure_tagger(const ModelFile& file, const std::string& path,
                                              const std::string& input, const TagCommand& command,
                                              Backend& backend);

void describe_tagger(const ModelFile& file, const std::string& path);

}  // namespace rondo::app
