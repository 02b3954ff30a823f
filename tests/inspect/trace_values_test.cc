// Values of traces against inference, bit for bit.
#include <cmath>
#include <thread>

#include "inference/sentence_tagger.h"
#include "inference/text_generator.h"
#include "inference/text_scorer.h"
#include "inference/text_translator.h"
#include "layers/recurrent_stream.h"
#include "rondo/errors.h"
#include "small_models.h"
#include "storage/quantized.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const kText = "a good film not a bad film";

const LayerTrace& layer_of(const TextTrace& trace, int64_t layer, bool reverse = false,
                           const std::string& part = "") {
  for (const LayerTrace& one : trace.layers) {
    if (one.layer == layer && one.reverse == reverse && one.part == part) return one;
  }
  throw std::runtime_error("no such layer");
}

/// Of a grid its dimension of time, which has the states of streams.
const LayerTrace& state_of(const TextTrace& trace, int64_t layer) {
  for (const LayerTrace& one : trace.layers) {
    if (one.layer == layer && one.dimension != 0) return one;
  }
  throw std::runtime_error("no such layer");
}

// The states after every step of every layer, and in between, are those of a stream.
void expect_states_of_stream(const TextTrace& trace, RecurrentStream& stream,
                             const std::vector<int32_t>& ids) {
  const RecurrentOptions& options = stream.stack().options();
  for (size_t t = 0; t < ids.size(); ++t) {
    stream.read(std::span(ids).subspan(t, 1));
    for (int64_t layer = 0; layer < options.layers; ++layer) {
      const LayerTrace& traced = state_of(trace, layer);
      const std::span<const float> h = stream.h(layer), c = stream.c(layer);
      EXPECT_EQ(row_of(traced.find("h").values, static_cast<int64_t>(t)), std::vector(h.begin(), h.end()));
      if (c.empty()) continue;
      EXPECT_EQ(row_of(traced.find("c").values, static_cast<int64_t>(t)), std::vector(c.begin(), c.end()));
    }
  }
}

TEST(TraceValues, HaveTheStatesOfAStreamAtEveryStep) {
  const auto backend = open_device("cpu", 2);
  for (const Precision precision : {Precision::kFloat32, Precision::kBfloat16, Precision::kInt8}) {
    std::vector<RecurrentOptions> stacks = small_stacks();
    for (const RecurrentOptions& grid : small_grids()) {
      if (precision != Precision::kInt8 && grid.grid.dimensions() > 1) stacks.push_back(grid);
    }
    for (RecurrentOptions recurrent : stacks) {
      recurrent.bidirectional = false;
      SCOPED_TRACE(words_of(recurrent) + name_of(precision));
      const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
      const RunPrecision run = precision == Precision::kFloat32    ? RunPrecision::kFloat32
                               : precision == Precision::kBfloat16 ? RunPrecision::kBfloat16
                                                                   : RunPrecision::kInt8;
      const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {.precision = run});
      RecurrentStream stream(model.network->recurrent(), model.network->embedding().table().value, *backend,
                             prepare_streams(model, *backend, precision));
      expect_states_of_stream(tracer.trace(kText), stream, model.encode(kText));
    }
  }
}

TEST(TraceValues, OfAClassifierHaveTheBitsOfPredict) {
  const auto backend = open_device("cpu", 2);
  std::vector<RecurrentOptions> stacks = small_stacks();
  for (const RecurrentOptions& grid : small_grids()) stacks.push_back(grid);
  size_t next_pool = 0;
  for (const RecurrentOptions& recurrent : stacks) {
    SCOPED_TRACE(words_of(recurrent));
    const auto pool = static_cast<PoolKind>(next_pool++ % 5);
    ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent, .pool = pool});
    const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
    const TextTrace trace = tracer.trace(kText);
    prepare(model, *backend);
    const std::vector<std::string> texts = {
        kText, "a", "a good", "a good film", "a good film not", "a good film not a", "a good film not a bad"};
    const Tensor predicted = predict_texts(model, *backend, texts);
    EXPECT_EQ(row_of(trace.output, 0), row_of(predicted, 0));
    ASSERT_EQ(trace.predictions.dim(0), 7);
    for (int64_t t = 0; t < 6; ++t) EXPECT_EQ(row_of(trace.predictions, t), row_of(predicted, t + 1)) << t;
    EXPECT_EQ(row_of(trace.predictions, 6), row_of(predicted, 0));
    EXPECT_EQ(trace.attention.shape(), pool == PoolKind::kAttention ? (Shape{1, 7}) : Shape{});
  }
}

TEST(TraceValues, OfTheReverseDirectionStandInTheOrderOfTheText) {
  const auto backend = open_device("cpu", 1);
  RecurrentOptions recurrent{.cell = Cell::kLstm, .hidden = 5, .bidirectional = true};
  ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
  // The same weights in both directions: the text turned round gives the same states turned round.
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"}) {
    ParameterSet& set = model.network->parameters();
    set.find(fmt::format("lstm.{}_reverse", name)).value = set.find(fmt::format("lstm.{}", name)).value;
  }
  const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
  const TextTrace text = tracer.trace("a good bad film"), turned = tracer.trace("film bad good a");
  for (const char* name : {"i", "f", "o", "g", "c", "h"}) {
    const Tensor& forwards = layer_of(text, 0).find(name).values;
    const Tensor& backwards = layer_of(turned, 0, true).find(name).values;
    for (int64_t t = 0; t < 4; ++t) EXPECT_EQ(row_of(forwards, t), row_of(backwards, 3 - t)) << name << t;
  }
}

TEST(TraceValues, OfCoupledGatesShowTheInputGateToo) {
  const auto backend = open_device("cpu", 1);
  const RecurrentOptions recurrent{.hidden = 5, .coupled = true};
  const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
  const TextTrace trace = Tracer(pack_classifier(model), "m.rondo", *backend, {}).trace(kText);
  const Tensor &i = trace.layers[0].find("i").values, &f = trace.layers[0].find("f").values;
  for (int64_t e = 0; e < i.size(); ++e) EXPECT_EQ(i.data<float>()[e], 1 - f.data<float>()[e]);
  std::vector<std::string> names;
  for (const TracedSeries& series : trace.layers[0].series) names.push_back(series.name);
  EXPECT_THAT(names, ElementsAre("i", "f", "o", "g", "c", "h"));
}

// h' of every dimension of a grid by its own gates, and what one dimension sees of the other.
TEST(TraceValues, OfAGridShowBothDimensions) {
  const auto backend = open_device("cpu", 1);
  for (const RecurrentOptions& recurrent : small_grids()) {
    const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
    const TextTrace trace = Tracer(pack_classifier(model), "m.rondo", *backend, {}).trace(kText);
    const auto dimensions = static_cast<size_t>(recurrent.grid.dimensions());
    ASSERT_EQ(trace.layers.size(), 2 * dimensions * static_cast<size_t>(recurrent.directions()));
    for (const LayerTrace& layer : trace.layers) {
      const Tensor& h = layer.find("h").values;
      ASSERT_EQ(h.shape(), (Shape{7, 4}));
      if (layer.series.size() == 1) continue;  // a dimension without cells
      const Tensor &o = layer.find("o").values, &c = layer.find("c").values;
      for (int64_t e = 0; e < h.size(); ++e) {
        const double inside = std::tanh(o.at(e) * c.at(e)), outside = o.at(e) * std::tanh(c.at(e));
        const bool is_inside = recurrent.grid.output_gate == OutputGate::kInside;
        EXPECT_NEAR(h.at(e), is_inside ? inside : outside, 1e-6);
      }
    }
  }
}

TEST(TraceValues, OfALanguageModelHaveTheBitsOfScoringAndGenerating) {
  const auto backend = open_device("cpu", 2);
  std::vector<RecurrentOptions> stacks = small_stacks();
  stacks.push_back(small_grids()[0]);
  for (RecurrentOptions recurrent : stacks) {
    SCOPED_TRACE(words_of(recurrent));
    recurrent.bidirectional = false;
    LanguageModelOptions options{.embedding = 4, .recurrent = recurrent};
    if (recurrent.cell == Cell::kGru) options.adaptive = {"8"};
    const LanguageModel model = small_language_model(options);
    const TextTrace trace =
        Tracer(pack_language_model(model), "m.rondo", *backend, {}).trace("abba", {.alternatives = 3});
    EXPECT_THAT(trace.tokens, ElementsAre(Vocabulary::kEndToken, "a", "b", "b", "a"));
    const std::vector<std::string> texts = {"abba"};
    const TextScore score = TextScorer(model, *backend, recurrent.precision).score(texts, {})[0];
    ASSERT_EQ(trace.next_probabilities.size(), 4U);
    for (size_t t = 0; t < 4; ++t) {
      EXPECT_EQ(trace.next_probabilities[t], std::exp(static_cast<double>(score.tokens[t].log_probability)));
    }
    LanguageReader reader(model, *backend, prepare_reader(model, *backend, recurrent.precision));
    const std::vector<int32_t> ids = model.encode("abba");
    for (size_t t = 0; t <= 4; ++t) {
      if (t > 0) reader.read(std::span(ids).subspan(t - 1, 1));
      reader.scores();
      const std::span<const float> probabilities = reader.probabilities();
      ASSERT_EQ(trace.alternatives[t].size(), 3U);
      for (const Alternative& one : trace.alternatives[t]) {
        EXPECT_EQ(one.probability, probabilities[static_cast<size_t>(model.vocabulary.id(one.token))]);
      }
      EXPECT_GE(trace.alternatives[t][0].probability, trace.alternatives[t][1].probability);
    }
  }
}

TEST(TraceValues, OfALanguageModelOfBothDirectionsAreThoseOfScoring) {
  const auto backend = open_device("cpu", 1);
  LanguageModelOptions options{.embedding = 4, .recurrent = {.hidden = 5, .bidirectional = true}};
  const LanguageModel model = small_language_model(options);
  const TextTrace trace = Tracer(pack_language_model(model), "m.rondo", *backend, {}).trace("abba");
  EXPECT_EQ(trace.layers.size(), 2U);
  EXPECT_EQ(trace.next_probabilities.size(), 4U);
}

TEST(TraceValues, OfATaggerHaveTheBitsOfTagging) {
  const auto backend = open_device("cpu", 2);
  for (const TaggerOptions& options : small_taggers()) {
    TaggerModel model = small_tagger(options);
    const TextTrace trace =
        Tracer(pack_tagger(model), "m.rondo", *backend, {}).trace("ada met ada in London");
    const SentenceTagger tagger(model, *backend, options.recurrent.precision);
    const std::vector<std::string> sentences[] = {{"ada", "met", "ada", "in", "London"}};
    const TaggedSentence tagged = tagger.tag(sentences, {.marginals = true})[0];
    EXPECT_EQ(trace.tags, tagged.paths[0].tags);
    EXPECT_EQ(trace.labels, tagger.written());
    for (int64_t t = 0; t < 5; ++t) {
      EXPECT_EQ(row_of(trace.predictions, t), tagged.marginals[static_cast<size_t>(t)]);
    }
    // The traced pass tells the same scores, and so the same marginals.
    const bool reads = options.characters == CharacterPart::kLstm;
    EXPECT_EQ(trace.layers.front().part, reads ? "characters" : "");
    EXPECT_EQ(trace.characters.size(), reads ? 17U : 0U);
    EXPECT_EQ(trace.embeddings.shape(), (Shape{5, options.input_size()}));
    if (!reads) continue;
    EXPECT_EQ(trace.character_ends.back(), 17);
    const Tensor& h = trace.layers.front().find("h").values;
    EXPECT_EQ(h.dim(0), 17);
    // Word 0 and word 2 are the same: so is what their characters say, and the last state is what is read.
    for (int64_t t = 0; t < 3; ++t) EXPECT_EQ(row_of(h, t), row_of(h, 6 + t));
    const std::vector<float> features = row_of(trace.embeddings, 0);
    const std::vector<float> last = row_of(h, 2);
    const auto begin = features.begin() + options.embedding;
    EXPECT_EQ(std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(last.size())), last);
  }
}

std::vector<TranslatorOptions> small_translators() {
  TranslatorOptions general{.embedding = 6, .hidden = 8, .layers = 2};
  TranslatorOptions bahdanau = general, feeding = general, none = general, gru = general;
  bahdanau.attention = AttentionKind::kBahdanau;
  feeding.attention = AttentionKind::kDot;
  feeding.encoder_hidden = 4;
  feeding.input_feeding = true;
  none.attention = AttentionKind::kNone;
  gru.cell = Cell::kGru;
  gru.bridge = Bridge::kMean;
  gru.attention = AttentionKind::kLocal;
  return {general, bahdanau, feeding, none, gru};
}

TEST(TraceValues, OfATranslatorHaveTheBitsOfTranslating) {
  const auto backend = open_device("cpu", 2);
  for (const TranslatorOptions& options : small_translators()) {
    SCOPED_TRACE(name_of(options.attention));
    const ModelFile file = translator_file(worded_translator(options));
    const TextTrace trace = Tracer(file, "m.rondo", *backend, {}).trace("s1 s2 s7 s3");
    std::vector<TranslatorModel> models;
    models.push_back(unpack_translator(file, "m.rondo"));
    const TextTranslator translator(std::move(models), {"m.rondo"}, *backend, {});
    TranslateOptions wanted;
    wanted.alignment = options.attends();
    const std::vector<std::string> texts = {"s1 s2 s7 s3"};
    const Translation found = translator.translate(texts, wanted)[0][0];
    EXPECT_EQ(trace.translation, found.text);
    double sum = 0;
    for (const double probability : trace.next_probabilities) sum += std::log(probability);
    EXPECT_NEAR(sum, found.log_probability, 1e-9 * std::abs(sum));  // of exp and log
    const auto rows = static_cast<int64_t>(trace.target_tokens.size());
    EXPECT_EQ(layer_of(trace, 1, false, "decoder").find("h").values.shape(), (Shape{rows, 8}));
    EXPECT_EQ(layer_of(trace, 1, true, "encoder").find("h").values.dim(0), 5);
    if (!options.attends()) continue;
    EXPECT_EQ(trace.target_tokens, found.target_tokens);
    ASSERT_EQ(trace.attention.shape(), (Shape{rows, 5}));
    const std::vector<float> attention(trace.attention.data<float>(),
                                       trace.attention.data<float>() + trace.attention.size());
    EXPECT_EQ(attention, found.attention);
  }
}

TEST(TraceValues, OfABeamLeadToTheTranslation) {
  const auto backend = open_device("cpu", 1);
  const ModelFile file = translator_file(worded_translator(small_translators()[0]));
  const TextTrace trace = Tracer(file, "m.rondo", *backend, {}).trace("s1 s2 s7 s3");
  ASSERT_GE(trace.beam.size(), trace.target_tokens.size());
  // Back from a finished hypothesis along its parents.
  const size_t last = trace.target_tokens.size() - 1;
  bool found = false;
  for (const KeptHypothesis& end : trace.beam[last]) {
    if (!end.finished) continue;
    std::vector<std::string> tokens = {end.token};
    int64_t at = end.parent;
    for (size_t step = last; step-- > 0;) {
      const KeptHypothesis& one = trace.beam[step][static_cast<size_t>(at)];
      EXPECT_FALSE(one.finished);
      EXPECT_GE(one.log_probability, end.log_probability);
      tokens.insert(tokens.begin(), one.token);
      at = one.parent;
    }
    EXPECT_EQ(at, -1);
    found = found || tokens == trace.target_tokens;
  }
  EXPECT_TRUE(found);
}

TEST(TraceValues, OfAGivenTranslationAreThoseOfTheSearchThatFoundIt) {
  const auto backend = open_device("cpu", 1);
  const Tracer tracer(translator_file(worded_translator(small_translators()[1])), "m.rondo", *backend, {});
  const TextTrace searched = tracer.trace("s1 s2"),
                  given = tracer.trace("s1 s2", {.target = searched.translation});
  EXPECT_TRUE(given.beam.empty());
  EXPECT_EQ(given.next_probabilities, searched.next_probabilities);
  EXPECT_TRUE(same_bits(given.attention, searched.attention));
}

TEST(TraceValues, StayWhenAGradientIsAskedFor) {
  const auto backend = open_device("cpu", 2);
  for (const RecurrentOptions& recurrent : small_stacks()) {
    const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
    const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
    const TextTrace plain = tracer.trace(kText),
                    recorded = tracer.trace(kText, {.gradient = GradientRequest{}});
    for (size_t l = 0; l < plain.layers.size(); ++l) {
      for (size_t s = 0; s < plain.layers[l].series.size(); ++s) {
        EXPECT_TRUE(same_bits(plain.layers[l].series[s].values, recorded.layers[l].series[s].values));
      }
    }
    EXPECT_TRUE(same_bits(plain.output, recorded.output));
    EXPECT_FALSE(plain.layers[0].d_states);
    EXPECT_TRUE(recorded.layers[0].d_states);
  }
}

TEST(TraceValues, AreTheSameForThreadsThatShareATracer) {
  const auto backend = open_device("cpu", 2);
  const Tracer tracer(pack_classifier(worded_classifier({.embedding = 4, .recurrent = small_stacks()[2]})),
                      "m.rondo", *backend, {});
  const TextTrace alone = tracer.trace(kText, {.gradient = GradientRequest{}});
  std::vector<TextTrace> traces(3);
  std::vector<std::thread> threads;
  for (TextTrace& trace : traces) {
    threads.emplace_back([&] { trace = tracer.trace(kText, {.gradient = GradientRequest{}}); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const TextTrace& trace : traces) {
    EXPECT_TRUE(same_bits(trace.d_tokens, alone.d_tokens));
    EXPECT_TRUE(same_bits(trace.layers[3].find("c").values, alone.layers[3].find("c").values));
  }
}

TEST(TraceValues, OfAnEmptyTextAreThere) {
  const auto backend = open_device("cpu", 1);
  for (const RecurrentOptions& recurrent : {small_stacks()[2], small_stacks()[0], small_grids()[2]}) {
    ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent});
    const TextTrace trace =
        Tracer(pack_classifier(model), "m.rondo", *backend, {}).trace("", {.gradient = GradientRequest{}});
    EXPECT_TRUE(trace.tokens.empty());
    EXPECT_EQ(trace.predictions.dim(0), 0);
    EXPECT_EQ(row_of(trace.output, 0),
              row_of(predict_texts(model, *backend, std::vector<std::string>{""}), 0));
    for (const LayerTrace& layer : trace.layers) EXPECT_EQ(layer.find("h").values.dim(0), 0);
  }
  const TextTrace tagged =
      Tracer(pack_tagger(small_tagger(small_taggers()[1])), "m.rondo", *backend, {}).trace(" ");
  EXPECT_TRUE(tagged.tags.empty());
  const LanguageModel language = small_language_model({.embedding = 4, .recurrent = {.hidden = 5}});
  const TextTrace begun = Tracer(pack_language_model(language), "m.rondo", *backend, {}).trace("");
  EXPECT_EQ(begun.alternatives.size(), 1U);
  EXPECT_TRUE(begun.next_probabilities.empty());
  const TextTrace translated =
      Tracer(translator_file(worded_translator(small_translators()[0])), "m.rondo", *backend, {}).trace("");
  EXPECT_EQ(translated.translation, "");
  EXPECT_THAT(translated.target_tokens, ElementsAre(Vocabulary::kEndToken));
}

TEST(TraceValues, OfAQuantizedModelAreThoseOfItsPrecision) {
  const auto backend = open_device("cpu", 1);
  const ModelFile file =
      quantize(pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}})));
  const Tracer tracer(file, "m.rondo", *backend, {});
  EXPECT_EQ(tracer.trace(kText).precision, "int8");
  try {
    tracer.trace(kText, {.gradient = GradientRequest{}});
    ADD_FAILURE() << "int8 has no gradients";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--precision f32"));
  }
  const Tracer full(file, "m.rondo", *backend, {.precision = RunPrecision::kFloat32});
  EXPECT_TRUE(full.trace(kText, {.gradient = GradientRequest{}}).d_tokens);
}

TEST(TraceValues, RefuseTextThatIsNoUtf8) {
  const auto backend = open_device("cpu", 1);
  const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}});
  EXPECT_THROW(Tracer(pack_classifier(model), "m.rondo", *backend, {}).trace("a \xff"), DataError);
  EXPECT_THROW(Tracer(pack_tagger(small_tagger(small_taggers()[0])), "m.rondo", *backend, {}).trace("a \xff"),
               DataError);
}

TEST(TraceValues, OfALongTextLeaveOutWhatCostsTheSquareOfIt) {
  const auto backend = open_device("cpu", 1);
  std::string text;
  for (int i = 0; i < 30; ++i) text += "good bad ";
  RecurrentOptions both{.hidden = 3, .bidirectional = true}, one{.hidden = 3};
  const Tracer two_ways(pack_classifier(worded_classifier({.embedding = 2, .recurrent = both})), "m.rondo",
                        *backend, {});
  EXPECT_FALSE(two_ways.trace(text, {.max_prefixes = 59}).predictions);
  EXPECT_EQ(two_ways.trace(text, {.max_prefixes = 60}).predictions.dim(0), 60);
  const Tracer one_way(pack_classifier(worded_classifier({.embedding = 2, .recurrent = one})), "m.rondo",
                       *backend, {});
  EXPECT_EQ(one_way.trace(text, {.max_prefixes = 0}).predictions.dim(0), 60);
}

}  // namespace
}  // namespace rondo
