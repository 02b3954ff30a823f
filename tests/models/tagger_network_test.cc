#include "models/tagger_network.h"

#include <cstring>

#include "layers/exact_gradients.h"
#include "models/tagger_batch.h"
#include "models/tagger_model.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<std::string> kLabels = {"B-X", "I-X", "O"};

TaggerOptions small(CharacterPart characters = CharacterPart::kNone) {
  TaggerOptions options{.embedding = 3, .characters = characters, .scheme = SchemeChoice::kBio};
  if (characters != CharacterPart::kNone) options.character_embedding = 2, options.character_units = 2;
  options.recurrent = {.hidden = 2, .bidirectional = true};
  options.output_dropout = 0;
  return options;
}

/// Three sentences, one of them empty; words repeat, and one has no known character. The fourth and the fifth
/// are the first and the third with the unknown word for those that are rare.
struct Sentences {
  TaggerModel model;
  std::optional<WordForms> forms;
  EncodedCorpus corpus;
  std::vector<int32_t> targets;

  explicit Sentences(const TaggerOptions& options) {
    model.words = Vocabulary::from_tokens({"<unk>", "ada", "in", "London", "0"});
    model.characters = Vocabulary::from_tokens({"<unk>", "</w>", "a", "d", "n", "o"});
    model.labels = LabelSet(kLabels, false);
    model.network = std::make_unique<TaggerNetwork>(
        options,
        TaggerShape{.words = model.words.size(), .characters = model.characters.size(), .labels = kLabels});
    model.network->initialize(Stream(3));
    forms.emplace(model.forms());
    const std::vector<std::vector<std::string>> sentences = {
        {"Ada", "in", "London", "Ada"}, {}, {"London", "x"}, {"x", "in", "x", "x"}, {"x", "x"}};
    for (const auto& sentence : sentences) {
      for (const std::string& word : sentence) {
        corpus.ids.push_back(forms->add(word));
        corpus.labels.push_back(corpus.ids.size() % 3 == 1 ? 0 : 2);
      }
      corpus.offsets.push_back(static_cast<int64_t>(corpus.ids.size()));
      corpus.label_offsets.push_back(corpus.offsets.back());
      corpus.lines.push_back(1);
    }
    forms->mark_rare({0, 1, 0, 1, 0});
  }

  TaggerBatch batch(std::vector<int32_t> examples) const {
    return make_tagger_batch(*forms, corpus, examples);
  }
};

void expect_exact(const TaggerOptions& options, const char* what) {
  SCOPED_TRACE(what);
  const Sentences sentences(options);
  const auto exact = sentences.model.network->cast(DType::kComplex128);
  const TaggerBatch batch = sentences.batch({0, 1, 2});
  expect_exact_gradients(exact->parameters(), [&](Tape& tape) {
    return exact->loss(exact->scores(tape, batch.words, *batch.packing),
                       packed_labels(sentences.corpus, batch), *batch.packing, 0.25);
  });
}

TEST(TaggerNetwork, EveryKindHasExactGradients) {
  expect_exact(small(), "words");
  expect_exact(small(CharacterPart::kLstm), "characters by an LSTM");
  TaggerOptions all = small(CharacterPart::kCnn);
  all.casing = 2;
  all.tanh = 3;
  all.word_dropout = 0.5;
  all.output_dropout = 0.3;
  all.recurrent.input_dropout = 0.3;
  expect_exact(all, "convolution, casing, tanh, dropouts");
  TaggerOptions letters = small(CharacterPart::kCnn);
  letters.embedding = 0;
  letters.character_window = 5;
  letters.output = TaggerOutput::kSoftmax;
  expect_exact(letters, "characters alone, softmax");
}

TEST(TaggerNetwork, ScoresOfASentenceAreTheSameBitsInAnyCompany) {
  for (const CharacterPart part : {CharacterPart::kNone, CharacterPart::kLstm, CharacterPart::kCnn}) {
    TaggerOptions options = small(part);
    options.recurrent.hidden = 16;
    options.casing = 4;
    const Sentences sentences(options);
    const auto backend = open_device("cpu", 2);
    sentences.model.network->prepare(*backend, Precision::kFloat32);
    const auto rows_of = [&](std::vector<int32_t> examples, int64_t n) {
      Tape tape(*backend);
      const TaggerBatch batch = sentences.batch(std::move(examples));
      const Variable scores = sentences.model.network->scores(tape, batch.words, *batch.packing);
      std::vector<float> rows;
      for (int64_t t = 0; t < batch.packing->length(n); ++t) {
        const float* row = scores.matrix().row<float>(batch.packing->rows().row(t, n));
        rows.insert(rows.end(), row, row + 3);
      }
      return rows;
    };
    EXPECT_EQ(rows_of({0}, 0), rows_of({2, 1, 0}, 0));
    EXPECT_EQ(rows_of({2}, 0), rows_of({0, 1, 2}, 1));
    EXPECT_EQ(rows_of({2}, 0).size(), 6U);
  }
}

TEST(TaggerNetwork, ASoftmaxIsAChainWithoutTransitions) {
  TaggerOptions options = small();
  options.output = TaggerOutput::kSoftmax;
  options.scheme = SchemeChoice::kNone;
  const Sentences sentences(options);
  const TaggerNetwork& network = *sentences.model.network;
  const auto backend = open_device("reference", 1);
  Tape tape(*backend);
  const TaggerBatch batch = sentences.batch({0, 2});
  const Variable scores = network.scores(tape, batch.words, *batch.packing);
  const std::vector<int32_t> targets = packed_labels(sentences.corpus, batch);
  const double own = network.loss(scores, targets, *batch.packing, 1).value().at(0);
  const Tensor chain = network.chain().loss(scores, targets, *batch.packing).value();
  EXPECT_NEAR(own, chain.at(0) + chain.at(1), 1e-5);
  const std::vector<CrfPath> chosen = network.decode(scores, *batch.packing);
  const std::vector<CrfPath> searched = network.chain().decode(scores, *batch.packing);
  ASSERT_EQ(chosen.size(), searched.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    EXPECT_EQ(chosen[i].labels, searched[i].labels);
    EXPECT_EQ(chosen[i].score, searched[i].score);
  }
  const CrfPath& best = chosen.front();
  for (int64_t t = 0; t < 4; ++t) {
    const float* row = scores.matrix().row<float>(batch.packing->rows().row(t, 0));
    EXPECT_EQ(best.labels[static_cast<size_t>(t)], std::max_element(row, row + 3) - row);
  }
  for (const Parameter& parameter : network.parameters().all()) {
    EXPECT_THAT(parameter.name, testing::Not(testing::StartsWith("crf.")));
  }
}

TEST(TaggerNetwork, TheBestTagsAreTheChainsWhateverIsEqual) {
  TaggerOptions options = small();
  options.output = TaggerOutput::kSoftmax;
  const auto backend = open_device("cpu", 1);
  for (const SchemeChoice scheme : {SchemeChoice::kNone, SchemeChoice::kBio}) {
    options.scheme = scheme;
    const Sentences sentences(options);
    const TaggerNetwork& network = *sentences.model.network;
    const TaggerBatch batch = sentences.batch({1, 2, 0});
    Tape tape(*backend);
    Tensor scores({batch.packing->num_rows(), 3});
    // Ties of two and of three, and rows where a label that may not begin a sentence is the best.
    const std::vector<float> values = {1, 1, 0, 0, 0, 0, -1, 2, 2, 3, 5, 4, 7, 7, 7, 0, 1, 1};
    std::copy(values.begin(), values.end(), scores.values<float>().begin());
    const std::vector<CrfPath> chosen = network.decode(tape.input(scores), *batch.packing);
    const std::vector<CrfPath> searched = network.chain().decode(tape.input(scores), *batch.packing);
    ASSERT_EQ(chosen.size(), 3U);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_EQ(chosen[i].labels, searched[i].labels);
      EXPECT_EQ(chosen[i].score, searched[i].score);
    }
    EXPECT_TRUE(chosen[0].labels.empty());
  }
}

TEST(TaggerNetwork, RareWordsAreReadAsTheUnknownOneInTrainingAlone) {
  TaggerOptions options = small();
  options.word_dropout = 1;
  const Sentences sentences(options);
  const auto backend = open_device("reference", 1);
  const auto scores_of = [&](std::vector<int32_t> examples, bool training) {
    Tape tape(*backend, {.training = training});
    const TaggerBatch batch = sentences.batch(std::move(examples));
    const Variable scores = sentences.model.network->scores(tape, batch.words, *batch.packing);
    return std::vector<float>(scores.value().values<float>().begin(), scores.value().values<float>().end());
  };
  // Ada and London are rare, x is unknown: to a training that drops all rare words they are one word.
  for (const auto& [own, unknown] : {std::pair{0, 3}, std::pair{2, 4}}) {
    EXPECT_EQ(scores_of({own}, true), scores_of({unknown}, true));
    EXPECT_NE(scores_of({own}, false), scores_of({unknown}, false));
    EXPECT_NE(scores_of({own}, true), scores_of({own}, false));
  }
}

TEST(TaggerOptions, OptionsWithoutEffectAreRefused) {
  const auto error_of = [](const TaggerOptions& options) -> std::string {
    try {
      options.check();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error_of({.embedding = 0, .characters = CharacterPart::kNone}), HasSubstr("nothing of a word"));
  EXPECT_THAT(error_of({.characters = CharacterPart::kNone, .character_units = 3}),
              HasSubstr("--character-units"));
  EXPECT_THAT(error_of({.character_window = 5}), HasSubstr("--character-window"));
  EXPECT_THAT(error_of({.characters = CharacterPart::kCnn, .character_window = 4}), HasSubstr("odd"));
  EXPECT_THAT(error_of({.scheme = SchemeChoice::kBio, .convert = TagConversion::kBioes}),
              HasSubstr("--convert"));
  EXPECT_EQ(error_of({}), "accepted");
  EXPECT_EQ(error_of({.embedding = 0}), "accepted");
  EXPECT_THAT(error_of({.embedding = 0, .word_case = WordCase::kLower}), HasSubstr("--word-case"));
  EXPECT_THAT(error_of({.embedding = 0, .digits = true}), HasSubstr("--digits"));
  EXPECT_THAT(error_of({.embedding = 0, .word_dropout = 0.1}), HasSubstr("--word-dropout"));
  // The outputs' dropout is locked too, so it is enough.
  EXPECT_EQ(error_of({.recurrent = {.locked_dropout = true}, .output_dropout = 0.1}), "accepted");
  EXPECT_THAT(error_of({.recurrent = {.locked_dropout = true}, .output_dropout = 0}),
              HasSubstr("--locked-dropout"));
}

TEST(WordForms, WordsAreLookedUpAsTheOptionsSay) {
  const Vocabulary words = Vocabulary::from_tokens({"<unk>", "ada", "London", "00"}), none;
  const auto id_of = [&](const char* word, const TaggerOptions& options) {
    WordForms forms(options, words, none);
    return forms.id(forms.add(word));
  };
  const TaggerOptions keep{.word_case = WordCase::kKeep}, fallback, lower{.word_case = WordCase::kLower};
  EXPECT_EQ(id_of("Ada", keep), 0);
  EXPECT_EQ(id_of("Ada", fallback), 1);
  EXPECT_EQ(id_of("London", fallback), 2);
  EXPECT_EQ(id_of("London", lower), 0);  // a vocabulary that was made in another way
  EXPECT_EQ(id_of("42", fallback), 0);
  EXPECT_EQ(id_of("42", {.digits = true}), 3);
  WordForms forms(fallback, words, none);
  EXPECT_EQ(forms.add("a"), 0);
  EXPECT_THROW(forms.add("\xFF"), DataError);
  EXPECT_EQ(forms.add("b"), 1);
  EXPECT_EQ(forms.add("a"), 0);
}

TEST(WordForms, OfALongWordBothEndsAreRead) {
  EXPECT_THAT(characters_of("abcdefg", 4), ElementsAre("a", "b", "f", "g"));
  EXPECT_THAT(characters_of("abcdefg", 3), ElementsAre("a", "b", "g"));
  EXPECT_THAT(characters_of("\xC3\xA5\xC3\xA4", 4), ElementsAre("\xC3\xA5", "\xC3\xA4"));
}

TEST(TagScheme, IsFoundFromTheLabels) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(scheme_of(Names{"B-PER", "I-PER", "O"}), TagScheme::kBio);
  EXPECT_EQ(scheme_of(Names{"B-PER", "O", "S-LOC"}), TagScheme::kBioes);
  EXPECT_EQ(scheme_of(Names{"NOUN", "O", "VERB"}), TagScheme::kNone);
  EXPECT_EQ(scheme_of(Names{"O"}), TagScheme::kNone);
}

TEST(TagScheme, BioesAndBackIsTheSame) {
  const std::vector<std::string> bio = {"B-X", "I-X", "B-X", "O", "B-Y", "B-X", "I-X", "I-X"};
  EXPECT_THAT(to_bioes(bio), ElementsAre("B-X", "E-X", "S-X", "O", "S-Y", "B-X", "I-X", "E-X"));
  EXPECT_EQ(to_bio(to_bioes(bio)), bio);
}

}  // namespace
}  // namespace rondo
