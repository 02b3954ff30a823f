#include "inference/text_translator.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "data/documents.h"
#include "small_translator.h"
#include "tensor/device.h"
#include "text/sentencepiece_training.h"

namespace rondo {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

TextTranslator translator_of(std::vector<TranslatorModel> models, Backend& backend) {
  std::vector<std::string> names;
  for (size_t i = 0; i < models.size(); ++i)
    names.push_back(std::string(1, static_cast<char>('a' + i)) + ".rondo");
  return {std::move(models), names, backend, {}};
}

TextTranslator translator_of(TranslatorModel model, Backend& backend) {
  std::vector<TranslatorModel> models;
  models.push_back(std::move(model));
  return translator_of(std::move(models), backend);
}

void expect_same(const std::vector<Translation>& a, const std::vector<Translation>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].text, b[i].text);
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].log_probability, b[i].log_probability);
    EXPECT_EQ(a[i].attention, b[i].attention);
    EXPECT_EQ(a[i].alignment, b[i].alignment);
  }
}

class AnyAttention : public testing::TestWithParam<AttentionKind> {};

TEST_P(AnyAttention, BatchAndThreadsGiveTheBitsOfOneAlone) {
  const auto one = open_device("cpu", 1), three = open_device("cpu", 3);
  const TextTranslator alone = translator_of(small_translator(1, GetParam()), *one);
  const TextTranslator together = translator_of(small_translator(1, GetParam()), *three);
  TranslateOptions options{.search = {.beam = 4, .n_best = 3}, .batch = 7};
  options.alignment = GetParam() != AttentionKind::kNone;
  if (options.alignment) options.search.coverage = 0.2;
  const std::vector<std::string> texts = small_sentences(33);
  const auto all = together.translate(texts, options);
  ASSERT_EQ(all.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    expect_same(alone.translate(std::span(texts).subspan(i, 1), options)[0], all[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(TextTranslator, AnyAttention,
                         testing::Values(AttentionKind::kNone, AttentionKind::kBahdanau,
                                         AttentionKind::kGeneral, AttentionKind::kConcat,
                                         AttentionKind::kLocal),
                         [](const auto& test) {
                           std::string name = name_of(test.param);
                           std::erase(name, '-');
                           return name;
                         });

TEST(TextTranslator, BeamOneIsWhatTheNetworkTakesStepByStep) {
  const auto backend = open_device("cpu", 1);
  const TranslatorModel model = small_translator(3);
  const TextTranslator translator = translator_of(small_translator(3), *backend);
  const std::string text = "s1 s4 s2";
  Tape tape(*backend);
  const std::vector<int32_t> ids = model.encode_source(text);
  const int64_t lengths[] = {static_cast<int64_t>(ids.size())};
  const TranslatorMemory memory = model.network->encode(tape, ids, Packing(lengths));
  const std::vector<int32_t> row = {0};
  DecoderState state = model.network->begin(memory, row);
  std::vector<int32_t> previous = {model.target.end()}, found;
  for (int64_t t = 0; t < BeamOptions{}.max_length(lengths[0]); ++t) {
    DecoderStep step = model.network->step(tape, memory, state, previous, row);
    std::span<float> values = step.log_probabilities.values<float>();
    values[Vocabulary::kUnknown] = -std::numeric_limits<float>::infinity();
    previous[0] = static_cast<int32_t>(std::ranges::max_element(values) - values.begin());
    if (previous[0] == model.target.end()) break;
    found.push_back(previous[0]);
    state = std::move(step.state);
  }
  EXPECT_FALSE(found.empty());
  EXPECT_EQ(translator.translate(std::vector{text}, {.search = {.beam = 1}})[0][0].text,
            model.decode_target(found));
}

TEST(TextTranslator, EmptyTextsAreEmpty) {
  const auto backend = open_device("cpu", 1);
  const TextTranslator translator = translator_of(small_translator(), *backend);
  const auto found =
      translator.translate(std::vector<std::string>{"", "s1", " \t"}, {.search = {.min_length = 1}});
  EXPECT_EQ(found[0][0].text, "");
  EXPECT_EQ(found[2][0].text, "");
  EXPECT_NE(found[1][0].text, "");
  EXPECT_TRUE(translator.translate({}, {}).empty());
}

TEST(TextTranslator, AttentionHasARowAToken) {
  const auto backend = open_device("cpu", 1);
  const TextTranslator translator = translator_of(small_translator(), *backend);
  TranslateOptions options;
  options.alignment = true;
  const Translation found = translator.translate(std::vector<std::string>{"s1 s2 s3"}, options)[0][0];
  EXPECT_THAT(found.source_tokens, ElementsAre("s1", "s2", "s3", "</s>"));
  EXPECT_EQ(found.target_tokens.back(), "</s>");
  ASSERT_EQ(found.attention.size(), found.target_tokens.size() * 4);
  for (size_t t = 0; t < found.target_tokens.size(); ++t) {
    float sum = 0;
    for (size_t s = 0; s < 4; ++s) sum += found.attention[t * 4 + s];
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  for (const auto& [source, target] : found.alignment) {
    EXPECT_LT(source, 3U);
    EXPECT_LT(target + 1, found.target_tokens.size());
    const auto row = std::span<const float>(found.attention).subspan(target * 4, 4);
    EXPECT_EQ(*std::ranges::max_element(row), row[source]);
  }
}

TEST(TextTranslator, UnknownWordsAreReplacedOrNeverWritten) {
  const auto backend = open_device("cpu", 1);
  // Three target tokens, one of them unknown: it is often the most probable.
  TranslateOptions options{.search = {.beam = 3, .n_best = 3}};
  size_t replaced = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const TextTranslator translator =
        translator_of(small_translator(seed, AttentionKind::kGeneral, 1), *backend);
    for (const bool replace : {false, true}) {
      options.replace_unknown = replace;
      for (const auto& best : translator.translate(small_sentences(10), options)) {
        for (const Translation& found : best) {
          EXPECT_THAT(found.text, Not(HasSubstr("unk")));
          replaced += found.text.find('s') != std::string::npos ? 1 : 0;
          if (!replace) {
            EXPECT_EQ(found.text.find('s'), std::string::npos);
          }
        }
      }
    }
  }
  EXPECT_GT(replaced, 0U);
}

TextCoder subwords_of(const std::vector<std::string>& texts, int64_t vocabulary) {
  const std::string model = train_sentencepiece(texts, {.vocabulary = vocabulary});
  return {.tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, model),
          .vocabulary = with_end_token(Vocabulary::from_sentencepiece(model))};
}

TEST(TextTranslator, ReplacedPiecesAreWrittenAsWords) {
  const auto backend = open_device("cpu", 1);
  const std::vector<std::string> texts = {"mona opal", "opal mona mona", "mona", "opal opal mona opal"};
  const TranslateOptions options{.search = {.beam = 3, .n_best = 3}, .replace_unknown = true};
  size_t replaced = 0, inside = 0;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    TranslatorModel model{
        .source = subwords_of(texts, 10), .target = subwords_of({"e u", "u e e"}, 6), .network = {}};
    TranslatorOptions network = small_translator().options();
    network.tokenizer = TokenizerKind::kSentencePiece;
    model.network = std::make_unique<TranslatorNetwork>(network, model.source.vocabulary.size(),
                                                        model.target.vocabulary.size());
    model.network->initialize(Stream(seed));
    const TextTranslator translator = translator_of(std::move(model), *backend);
    for (const auto& best : translator.translate(texts, options)) {
      for (const Translation& found : best) {
        EXPECT_THAT(found.text, Not(HasSubstr("\xE2\x96\x81"))) << seed;
        replaced += found.text.find_first_of("mo") != std::string::npos ? 1 : 0;
        inside +=
            found.text.find(" m") != std::string::npos || found.text.find(" o") != std::string::npos ? 1 : 0;
      }
    }
  }
  EXPECT_GT(replaced, 0U);
  EXPECT_GT(inside, 0U);
}

TEST(TextTranslator, AnEnsembleOfOneModelTwiceIsTheModel) {
  const auto backend = open_device("cpu", 1);
  std::vector<TranslatorModel> twice, two;
  for (int i = 0; i < 2; ++i) twice.push_back(small_translator(7));
  for (uint64_t i = 0; i < 2; ++i) two.push_back(small_translator(7 + i));
  const TextTranslator one = translator_of(small_translator(7), *backend);
  const TextTranslator same = translator_of(std::move(twice), *backend);
  const TextTranslator other = translator_of(std::move(two), *backend);
  const std::vector<std::string> texts = small_sentences(10);
  for (const EnsembleMean mean : {EnsembleMean::kProbabilities, EnsembleMean::kLogProbabilities}) {
    TranslateOptions options;
    options.ensemble = mean;
    const auto alone = one.translate(texts, options), both = same.translate(texts, options);
    const auto mixed = other.translate(texts, options);
    size_t different = 0;
    for (size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(alone[i][0].text, both[i][0].text);
      EXPECT_NEAR(alone[i][0].score, both[i][0].score, 1e-5);
      different += mixed[i][0].score != alone[i][0].score ? 1 : 0;
    }
    EXPECT_EQ(different, texts.size() - 1);  // all but the empty text
  }
}

TEST(TextTranslator, AnEnsembleLooksWhereThoseWithAttentionLook) {
  const auto backend = open_device("cpu", 1);
  const std::vector<std::string> texts = small_sentences(6);
  TranslateOptions options{.search = {.beam = 2, .coverage = 0.2, .max_ratio = 1}, .replace_unknown = true};
  options.alignment = true;
  std::vector<std::vector<std::vector<Translation>>> found;
  for (const bool first : {true, false}) {
    std::vector<TranslatorModel> models;
    for (const bool attends : {first, !first}) {
      models.push_back(small_translator(3, attends ? AttentionKind::kGeneral : AttentionKind::kNone));
    }
    const TextTranslator translator = translator_of(std::move(models), *backend);
    EXPECT_TRUE(translator.attends());
    found.push_back(translator.translate(texts, options));
  }
  size_t rows = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const Translation &a = found[0][i][0], &b = found[1][i][0];
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.attention, b.attention);
    ASSERT_EQ(a.attention.size(), a.source_tokens.size() * a.target_tokens.size());
    for (size_t t = 0; t < a.target_tokens.size(); ++t) {
      const auto row = std::span(a.attention).subspan(t * a.source_tokens.size(), a.source_tokens.size());
      EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0), 1, 1e-5);  // not halved by who has none
      ++rows;
    }
  }
  EXPECT_GT(rows, texts.size());
}

TEST(TextTranslator, EnsemblesNeedOneVocabulary) {
  const auto backend = open_device("cpu", 1);
  std::vector<TranslatorModel> models;
  models.push_back(small_translator(1));
  models.push_back(small_translator(2, AttentionKind::kGeneral, 9));
  EXPECT_THAT([&] { translator_of(std::move(models), *backend); },
              ThrowsMessage<ConfigError>(
                  AllOf(HasSubstr("b.rondo: its target vocabulary differs from that of a.rondo"),
                        HasSubstr("at token 11 (11 and 12 tokens)"))));
  EXPECT_THROW(translator_of(std::vector<TranslatorModel>{}, *backend), ConfigError);
}

TEST(TextTranslator, BadTextsAreNamedByTheirPlace) {
  const auto backend = open_device("cpu", 1);
  const TextTranslator translator = translator_of(small_translator(), *backend);
  EXPECT_THAT(
      [&] {
        const auto place = [](size_t i) { return "test.en:" + std::to_string(10 + i); };
        translator.translate(std::vector<std::string>{"s1", "s2 s3 s4"}, {.max_source = 2}, place);
      },
      ThrowsMessage<DataError>(HasSubstr("test.en:11: 3 tokens, and --max-source is 2")));
  EXPECT_THAT([&] { translator.translate(std::vector<std::string>{"\xFF"}, {}); },
              ThrowsMessage<DataError>(HasSubstr("text 1: ")));
}

TEST(TextTranslator, LongTextsEnd) {
  const auto backend = open_device("cpu", 1);
  const TextTranslator translator = translator_of(small_translator(), *backend);
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "s1 ";
  const TranslateOptions options{.search = {.beam = 2, .max_ratio = 0.1, .max_extra = 5}};
  const Translation found = translator.translate(std::vector{text}, options)[0][0];
  EXPECT_LE(std::ranges::count(found.text, ' '), 305);
}

TEST(TextTranslator, WithoutAttentionNothingIsAligned) {
  const auto backend = open_device("cpu", 1);
  const TextTranslator translator = translator_of(small_translator(1, AttentionKind::kNone), *backend);
  const std::vector<std::string> texts = {"s1"};
  EXPECT_FALSE(translator.attends());
  EXPECT_THROW(translator.translate(texts, {.search = {.coverage = 0.1}}), ConfigError);
  EXPECT_THROW(translator.translate(texts, {.replace_unknown = true}), ConfigError);
  EXPECT_THAT([&] { translator.translate(texts, {.alignment = true}); },
              ThrowsMessage<ConfigError>(HasSubstr("the model has no attention")));
}

}  // namespace
}  // namespace rondo
