#include "models/tagger_options.h"

#include "base/errors.h"
#include "text/casing.h"

namespace rondo {

RecurrentOptions TaggerOptions::character_recurrent() const {
  return {.cell = Cell::kLstm, .hidden = units(), .bidirectional = true, .init = recurrent.init};
}

TagScheme TaggerOptions::tag_scheme() const {
  switch (scheme) {
    case SchemeChoice::kNone:
      return TagScheme::kNone;
    case SchemeChoice::kBio:
      return TagScheme::kBio;
    case SchemeChoice::kBioes:
      return TagScheme::kBioes;
    case SchemeChoice::kAuto:
      break;
  }
  throw_error<ConfigError>("tagger: the scheme must be none, bio or bioes once the labels are known");
}

double TaggerOptions::num_values(double words, double characters_known, double labels) const {
  double total =
      words * static_cast<double>(embedding) + static_cast<double>(kNumCasings) * static_cast<double>(casing);
  const auto per_character = static_cast<double>(character_embedding);
  if (characters != CharacterPart::kNone) total += characters_known * per_character;
  if (characters == CharacterPart::kLstm) total += character_recurrent().num_values(character_embedding);
  if (characters == CharacterPart::kCnn) {
    total += static_cast<double>(units()) * (static_cast<double>(character_window) * per_character + 1);
  }
  total += recurrent.num_values(input_size());
  double width = static_cast<double>(recurrent.directions()) * static_cast<double>(recurrent.output());
  if (tanh > 0) {
    total += static_cast<double>(tanh) * (width + 1);
    width = static_cast<double>(tanh);
  }
  total += labels * (width + 1);
  return total + (output == TaggerOutput::kCrf ? labels * (labels + 2) : 0);
}

void TaggerOptions::check() const {
  recurrent.check(output_dropout > 0);
  const TaggerOptions defaults;
  const bool none = characters == CharacterPart::kNone, cnn = characters == CharacterPart::kCnn;
  if (embedding == 0 && none) {
    throw_error<ConfigError>("--embedding 0 and --characters none: nothing of a word is read; choose one");
  }
  refuse_without_effect(embedding == 0 && casing == 0 && embedding_deviation != defaults.embedding_deviation,
                        "embedding-deviation", "--embedding or --casing");
  refuse_without_effect(embedding == 0 && word_case != defaults.word_case, "word-case", "--embedding");
  refuse_without_effect(embedding == 0 && digits, "digits", "--embedding");
  refuse_without_effect(embedding == 0 && word_dropout != defaults.word_dropout, "word-dropout",
                        "--embedding");
  refuse_without_effect(none && character_embedding != defaults.character_embedding, "character-embedding",
                        "--characters lstm or cnn");
  refuse_without_effect(none && character_units != 0, "character-units", "--characters lstm or cnn");
  refuse_without_effect(none && max_characters != defaults.max_characters, "max-characters",
                        "--characters lstm or cnn");
  refuse_without_effect(!cnn && character_window != defaults.character_window, "character-window",
                        "--characters cnn");
  if (character_window % 2 == 0) {
    throw_error<ConfigError>("--character-window {}: give an odd number, as 3 or 5", character_window);
  }
  if (convert == TagConversion::kBioes && scheme == SchemeChoice::kBio) {
    throw_error<ConfigError>("--convert bioes and --scheme bio contradict each other; leave --scheme out");
  }
}

}  // namespace rondo
