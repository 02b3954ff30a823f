// A tagger whole: vocabularies of words and characters, labels and network; words in, tags out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/conll.h"
#include "data/labels.h"
#include "models/tag_scheme.h"
#include "models/tagger_network.h"
#include "text/vocabulary.h"

namespace rondo {

struct TaggerModel {
  Vocabulary words, characters;
  LabelSet labels;
  ConllColumns columns;  ///< where words and tags stood, if options said so
  std::unique_ptr<TaggerNetwork> network;

  const TaggerOptions& options() const { return network->options(); }
  WordForms forms() const { return {options(), words, characters}; }
  /// The tags as people write them: those of the labels, or BIO where the model learnt them as BIOES.
  std::string tag(int32_t label) const;
  /// All of those, each once, in the order of the labels.
  std::vector<std::string> written_tags() const;
  std::vector<std::string> tags(std::span<const int32_t> chosen) const;
  /// Whether tags mark spans of words, such as names, which F1 is the figure of.
  bool marks_spans() const { return scheme_of(labels.names()) != TagScheme::kNone; }
};

}  // namespace rondo
