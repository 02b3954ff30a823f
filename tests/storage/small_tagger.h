// A tagger of three labels and four words with any network.
#pragma once

#include "models/tagger_model.h"

namespace rondo {

inline TaggerModel small_tagger(TaggerOptions options) {
  if (options.scheme == SchemeChoice::kAuto) options.scheme = SchemeChoice::kBio;
  TaggerModel model;
  model.words = Vocabulary::from_tokens({"<unk>", "ada", "met", "London"});
  model.characters = Vocabulary::from_tokens({"<unk>", "</w>", "a", "d", "e", "m"});
  const bool bioes = options.scheme == SchemeChoice::kBioes;
  model.labels = LabelSet(bioes ? std::vector<std::string>{"B-X", "E-X", "O", "S-X"}
                                : std::vector<std::string>{"B-X", "I-X", "O"},
                          false);
  model.network = std::make_unique<TaggerNetwork>(
      options, TaggerShape{.words = 4, .characters = 6, .labels = model.labels.names()});
  model.network->initialize(Stream(3));
  // Far from uniform, so that a difference shows.
  for (Parameter& parameter : model.network->parameters().all()) {
    for (float& value : parameter.value.values<float>()) value *= 3;
  }
  return model;
}

/// One of each kind, small.
inline std::vector<TaggerOptions> small_taggers() {
  TaggerOptions words{.embedding = 4, .characters = CharacterPart::kNone};
  words.recurrent = {.hidden = 4, .bidirectional = true};
  TaggerOptions lstm = words, cnn = words, bioes = words, letters = words;
  lstm.characters = CharacterPart::kLstm;
  lstm.character_units = 3;
  lstm.casing = 2;
  cnn.characters = CharacterPart::kCnn;
  cnn.character_units = 5;
  cnn.tanh = 3;
  cnn.recurrent = {.cell = Cell::kGru, .hidden = 4, .layers = 2, .last_hidden = 3};
  bioes.scheme = SchemeChoice::kBioes;
  bioes.convert = TagConversion::kBioes;
  letters.embedding = 0;
  letters.characters = CharacterPart::kLstm;
  letters.output = TaggerOutput::kSoftmax;
  letters.scheme = SchemeChoice::kNone;
  return {words, lstm, cnn, bioes, letters};
}

}  // namespace rondo
