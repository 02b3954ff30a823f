// The arithmetic by hand against what the model computed.
#include "inspect/unroll.h"

#include "rondo/errors.h"
#include "small_models.h"

namespace rondo {
namespace {

using testing::HasSubstr;

const char* const kText = "a good film not a bad film";

// Every unit of every layer and direction.
void expect_equal(const Tracer& tracer, const TextTrace& trace, const std::string& part = "") {
  const RecurrentOptions& options = tracer.stack(part).options();
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    for (const bool reverse : {false, true}) {
      if (reverse && !options.bidirectional) continue;
      for (int64_t unit = 0; unit < options.hidden_of(layer); ++unit) {
        const Unrolled made =
            unroll(tracer, trace, {.unit = unit, .layer = layer, .reverse = reverse, .part = part});
        EXPECT_TRUE(made.equals_trace()) << made.largest_difference;
        EXPECT_GT(made.steps.size(), 0U);
        EXPECT_THAT(unrolled_text(made), HasSubstr("\nequal to what the model computed"));
      }
    }
  }
}

TEST(Unroll, GivesWhatEveryCellComputedInEveryPrecisionThatItTakes) {
  const auto backend = open_device("cpu", 1);
  for (const RecurrentOptions& recurrent : small_stacks()) {
    SCOPED_TRACE(words_of(recurrent));
    const ModelFile file = pack_classifier(worded_classifier({.embedding = 4, .recurrent = recurrent}));
    for (const RunPrecision precision : {RunPrecision::kFloat32, RunPrecision::kBfloat16}) {
      const Tracer tracer(file, "m.rondo", *backend, {.precision = precision});
      expect_equal(tracer, tracer.trace(kText));
    }
  }
}

TEST(Unroll, GivesWhatModelsOfEveryKindComputed) {
  const auto backend = open_device("cpu", 1);
  const Tracer speaker(
      pack_language_model(small_language_model({.embedding = 4, .recurrent = {.hidden = 5}})), "m.rondo",
      *backend, {});
  expect_equal(speaker, speaker.trace("abba"));
  const Tracer tagger(pack_tagger(small_tagger(small_taggers()[1])), "m.rondo", *backend, {});
  const TextTrace tagged = tagger.trace("ada met London");
  expect_equal(tagger, tagged);
  expect_equal(tagger, tagged, "characters");
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kBahdanau}) {
    const Tracer translator(translator_file(worded_translator(
                                {.embedding = 6, .hidden = 8, .layers = 2, .attention = attention})),
                            "m.rondo", *backend, {});
    const TextTrace translated = translator.trace("s1 s2 s3");
    expect_equal(translator, translated, "encoder");
    expect_equal(translator, translated, "decoder");
  }
}

TEST(Unroll, ShowsTheStepsThatAreAskedForInTheOrderOfReading) {
  const auto backend = open_device("cpu", 1);
  RecurrentOptions recurrent{.hidden = 5, .bidirectional = true};
  const Tracer tracer(pack_classifier(worded_classifier({.embedding = 4, .recurrent = recurrent})), "m.rondo",
                      *backend, {});
  const TextTrace trace = tracer.trace(kText);
  const Unrolled forwards = unroll(tracer, trace, {.steps = "2-4"});
  ASSERT_EQ(forwards.steps.size(), 3U);
  EXPECT_EQ(forwards.steps[0].token, "film");
  EXPECT_NE(forwards.steps[0].c_before, 0);
  EXPECT_EQ(forwards.steps[1].c_before, forwards.steps[0].c_traced);
  const Unrolled backwards = unroll(tracer, trace, {.reverse = true, .steps = "5-6"});
  EXPECT_EQ(backwards.steps[0].step, 6);
  EXPECT_EQ(backwards.steps[0].c_before, 0);
  EXPECT_EQ(unroll(tracer, trace, {.steps = "3"}).steps.size(), 1U);
}

TEST(Unroll, NoticesANumberThatTheModelDidNotCompute) {
  const auto backend = open_device("cpu", 1);
  const Tracer tracer(pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}})),
                      "m.rondo", *backend, {});
  TextTrace trace = tracer.trace(kText);
  trace.layers[0].series[1].values.data<float>()[2] += 0.001F;
  const Unrolled made = unroll(tracer, trace, {.unit = 2});
  EXPECT_FALSE(made.equals_trace());
  EXPECT_NEAR(made.largest_difference, 0.001, 1e-5);
  EXPECT_THAT(unrolled_text(made), HasSubstr("DIFFERENT FROM what the model computed"));
}

TEST(Unroll, ReadsAsATextbook) {
  const auto backend = open_device("cpu", 1);
  const auto page = [&](const RecurrentOptions& recurrent) {
    const Tracer tracer(pack_classifier(worded_classifier({.embedding = 4, .recurrent = recurrent})),
                        "m.rondo", *backend, {});
    return unrolled_text(unroll(tracer, tracer.trace("a good film"), {.unit = 1, .steps = "1"}));
  };
  const std::string lstm = page({.hidden = 5, .peepholes = true});
  for (const char* line : {"m.rondo: classifier, layer 0, unit 1 of 5, lstm in f32",
                           "step 1 \"good\"   h = ", "  i  = s(W x + U h + b + p*c)\n",
                           "  c' = f*c + i*g = ", "  o  = s(W x + U h + b + p*c')", "  h' = o*tanh(c') = "}) {
    EXPECT_THAT(lstm, HasSubstr(line));
  }
  EXPECT_THAT(page({.hidden = 5, .coupled = true}), HasSubstr("  i  = 1 - f = "));
  EXPECT_THAT(page({.cell = Cell::kGru, .hidden = 5, .coupled = true}), HasSubstr("  r  = 1 - z = "));
  EXPECT_THAT(page({.hidden = 5, .without = Ablation::kInputGate}), HasSubstr("  c' = f*c + g = "));
  EXPECT_THAT(page({.hidden = 5, .without = Ablation::kOutputTanh}), HasSubstr("  h' = o*c' = "));
  EXPECT_THAT(page({.hidden = 5, .without = Ablation::kForgetGate}), HasSubstr("  c' = c + i*g = "));
  EXPECT_THAT(page({.hidden = 5, .without = Ablation::kOutputGate}), HasSubstr("  h' = tanh(c') = "));
  EXPECT_THAT(page({.hidden = 5, .without = Ablation::kInputTanh}),
              HasSubstr("  g  = W x + U h + b\n     = "));
  const std::string gru = page({.cell = Cell::kGru, .hidden = 5});
  EXPECT_THAT(gru, HasSubstr("  n  = tanh(W x + b_in + r*(U h + b_hn))\n"));
  EXPECT_THAT(gru, HasSubstr("  h' = (1 - z)*n + z*h = "));
  EXPECT_THAT(page({.cell = Cell::kGru, .hidden = 5, .reset = Reset::kBefore}),
              HasSubstr("  n  = tanh(W x + U (r*h) + b)\n"));
  EXPECT_THAT(page({.cell = Cell::kRnn, .hidden = 5, .nonlinearity = Nonlinearity::kRelu}),
              HasSubstr("  h' = relu(W x + U h + b)\n"));
  const std::string projected = page({.hidden = 6, .projection = 3});
  EXPECT_THAT(projected, HasSubstr("  m  = o*tanh(c') = "));
  EXPECT_THAT(projected, HasSubstr("  h' = row 1 of W_hr times all 6 m = "));
}

TEST(Unroll, SaysWhatIsNotThere) {
  const auto backend = open_device("cpu", 1);
  const auto message = [&](const ModelFile& file, const UnitOptions& options,
                           RunPrecision precision = RunPrecision::kModel) -> std::string {
    try {
      const Tracer tracer(file, "m.rondo", *backend, {.precision = precision});
      unroll(tracer, tracer.trace("a good film"), options);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  const ModelFile file = pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}}));
  EXPECT_THAT(message(file, {.unit = 5}), HasSubstr("--unit 5: layer 0 has 5 units, 0 to 4"));
  EXPECT_THAT(message(file, {.layer = 1}), HasSubstr("--layer 1: there are 1 layers, 0 to 0"));
  EXPECT_THAT(message(file, {.reverse = true}), HasSubstr("--reverse: this model reads in one direction"));
  EXPECT_THAT(message(file, {.part = "decoder"}), HasSubstr("no recurrent part \"decoder\""));
  EXPECT_THAT(message(file, {.steps = "2-9"}), HasSubstr("the text has 3 steps, 0 to 2"));
  EXPECT_THAT(message(file, {.steps = "two"}), HasSubstr("write 2-5"));
  EXPECT_THAT(message(file, {}, RunPrecision::kInt8), HasSubstr("--precision f32 or bf16"));
  EXPECT_THAT(
      message(pack_classifier(worded_classifier({.embedding = 4, .recurrent = small_grids()[0]})), {}),
      HasSubstr("grid"));
}

}  // namespace
}  // namespace rondo
