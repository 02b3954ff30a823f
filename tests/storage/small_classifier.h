// A classifier of two labels and three words with any network.
#pragma once

#include "models/classifier_model.h"

namespace rondo {

inline ClassifierModel small_classifier(const ClassifierOptions& options) {
  ClassifierModel model;
  model.tokenizer = make_tokenizer(TokenizerKind::kWords);
  model.vocabulary = Vocabulary::from_tokens({"<unk>", "good", "bad"});
  model.labels = LabelSet({"no", "yes"}, false);
  model.network = std::make_unique<ClassifierNetwork>(options, 3, 2);
  model.network->initialize(Stream(1));
  return model;
}

}  // namespace rondo
