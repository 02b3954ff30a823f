// Everything that decides what a tagger is (not how it is trained), declared once.
#pragma once

#include "layers/crf_constraints.h"
#include "layers/recurrent_options.h"

namespace rondo {

enum class CharacterPart { kNone, kLstm, kCnn };
enum class WordCase { kKeep, kFallback, kLower };
enum class TaggerOutput { kCrf, kSoftmax };
enum class SchemeChoice { kAuto, kNone, kBio, kBioes };
enum class TagConversion { kNone, kBioes };

template <>
inline constexpr auto kNames<CharacterPart> =
    std::array{std::pair{CharacterPart::kNone, "none"}, std::pair{CharacterPart::kLstm, "lstm"},
               std::pair{CharacterPart::kCnn, "cnn"}};
template <>
inline constexpr auto kNames<WordCase> =
    std::array{std::pair{WordCase::kKeep, "keep"}, std::pair{WordCase::kFallback, "fallback"},
               std::pair{WordCase::kLower, "lower"}};
template <>
inline constexpr auto kNames<TaggerOutput> =
    std::array{std::pair{TaggerOutput::kCrf, "crf"}, std::pair{TaggerOutput::kSoftmax, "softmax"}};
template <>
inline constexpr auto kNames<SchemeChoice> =
    std::array{std::pair{SchemeChoice::kAuto, "auto"}, std::pair{SchemeChoice::kNone, "none"},
               std::pair{SchemeChoice::kBio, "bio"}, std::pair{SchemeChoice::kBioes, "bioes"}};
template <>
inline constexpr auto kNames<TagConversion> =
    std::array{std::pair{TagConversion::kNone, "none"}, std::pair{TagConversion::kBioes, "bioes"}};

struct TaggerOptions {
  int64_t embedding = 100;
  double embedding_deviation = 0.1;
  WordCase word_case = WordCase::kFallback;
  bool digits = false;
  double word_dropout = 0.5;
  CharacterPart characters = CharacterPart::kLstm;
  int64_t character_embedding = 30;
  int64_t character_units = 0;
  int64_t character_window = 3;
  int64_t max_characters = 32;
  int64_t casing = 0;
  RecurrentOptions recurrent{.bidirectional = true, .input_dropout = 0.5};
  double output_dropout = 0.5;
  int64_t tanh = 0;
  TaggerOutput output = TaggerOutput::kCrf;
  SchemeChoice scheme = SchemeChoice::kAuto;
  TagConversion convert = TagConversion::kNone;

  template <class Visitor>
  void visit(Visitor& v) {
    v("embedding", embedding, "numbers a word; 0: words are read by their characters alone", Range{0, 65536});
    v("embedding-deviation", embedding_deviation, "initial word embeddings are normal with this deviation",
      Range{0, 10});
    v("word-case", word_case,
      "how words are looked up: as they are, in lower case where the vocabulary lacks them, or "
      "always in lower case; characters and casing stay");
    v("digits", digits, "words are looked up with 0 for every digit");
    v("word-dropout", word_dropout,
      "share of the words seen once that are read as the unknown word while training, "
      "which so learns something",
      Range{0, 1});
    v("characters", characters,
      "how a word's characters are read: not at all, by an LSTM in both directions, by a convolution");
    v("character-embedding", character_embedding, "numbers a character", Range{1, 4096});
    v("character-units", character_units,
      "units of each direction of the characters' LSTM, or filters of their convolution; 0: 25, or 30",
      Range{0, 4096});
    v("character-window", character_window, "characters that a filter sees at once, an odd number",
      Range{1, 31});
    v("max-characters", max_characters,
      "characters of a word that are read; of a longer one the first and the last half as many",
      Range{2, 1e6});
    v("casing", casing, "numbers for how a word is written: lower, upper, Initial, miXed, 1815, ?!; 0: none",
      Range{0, 4096});
    recurrent.visit(v);
    v("output-dropout", output_dropout, "share of the last layer's outputs dropped", Range{0, 0.99});
    v("tanh", tanh, "units of a tanh layer before the scores; 0: none", Range{0, 65536});
    v("output-layer", output, "whether tags are chosen as a sequence (crf) or each for itself (softmax)");
    v("scheme", scheme, "which tags may follow which; auto: found from the labels for crf, none for softmax");
    v("convert", convert, "learn BIO tags as BIOES; they are written as BIO again");
  }

  /// Units of the character part.
  int64_t units() const {
    if (character_units > 0) return character_units;
    return characters == CharacterPart::kLstm ? 25 : 30;
  }
  /// What the characters give a word.
  int64_t character_width() const {
    if (characters == CharacterPart::kNone) return 0;
    return characters == CharacterPart::kLstm ? 2 * units() : units();
  }
  /// What the recurrent layers read of a word.
  int64_t input_size() const { return embedding + character_width() + casing; }
  RecurrentOptions character_recurrent() const;
  /// The scheme of a finished choice. @throws ConfigError while it is auto.
  TagScheme tag_scheme() const;
  /// Numbers that a network of these options holds; in double, for hostile sizes overflow integers.
  double num_values(double words, double characters_known, double labels) const;
  /// @throws ConfigError as RecurrentOptions::check(), and for an option without effect.
  void check() const;
};

}  // namespace rondo
