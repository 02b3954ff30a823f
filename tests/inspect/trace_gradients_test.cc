// Gradients in traces against the complex step: f'(x) = Im f(x + ih) / h on the reference backend.
#include <complex>
#include <functional>
#include <map>

#include "layers/recurrent.h"
#include "models/tagger_batch.h"
#include "rondo/errors.h"
#include "small_models.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using Complex = std::complex<double>;
using testing::HasSubstr;

constexpr double kStep = 1e-30;

/// d value / d one number of a parameter of complex numbers.
double exact_derivative(Parameter& parameter, int64_t element, const std::function<Complex()>& value) {
  Complex& number = parameter.value.data<Complex>()[element];
  const Complex kept = number;
  number += Complex(0, kStep);
  const double derivative = value().imag() / kStep;
  number = kept;
  return derivative;
}

/// A token that stands in several places has the sum of their gradients.
void expect_exact(const Tensor& d_tokens, const std::vector<int32_t>& ids, Parameter& table,
                  const std::function<Complex()>& value) {
  const int64_t columns = table.value.dim(1);
  std::map<int32_t, std::vector<double>> sums;
  for (size_t t = 0; t < ids.size(); ++t) {
    std::vector<double>& sum = sums[ids[t]];
    sum.resize(static_cast<size_t>(columns));
    const std::vector<float> row = row_of(d_tokens, static_cast<int64_t>(t));
    for (size_t e = 0; e < sum.size(); ++e) sum[e] += row[e];
  }
  double largest = 0;
  for (const auto& [id, sum] : sums) {
    for (int64_t e = 0; e < columns; ++e) {
      const double exact = exact_derivative(table, id * columns + e, value);
      // Roundings of float32, forwards and backwards.
      EXPECT_NEAR(sum[static_cast<size_t>(e)], exact, 2e-5 * std::max(1.0, std::abs(exact)))
          << id << " " << e;
      largest = std::max(largest, std::abs(exact));
    }
  }
  EXPECT_GT(largest, 1e-4);
}

Complex value_of(const Variable& variable) { return variable.value().data<Complex>()[0]; }

Tensor weight(double value) {
  const Tensor one({1}, DType::kComplex128);
  one.fill(value);
  return one;
}

TEST(TraceGradients, OfAClassifierAreExact) {
  const auto backend = open_device("cpu", 1), exact = open_device("reference", 1);
  std::vector<RecurrentOptions> stacks = small_stacks();
  for (const RecurrentOptions& grid : small_grids()) stacks.push_back(grid);
  size_t next_pool = 0;
  for (const RecurrentOptions& recurrent : stacks) {
    SCOPED_TRACE(words_of(recurrent));
    const auto pool = static_cast<PoolKind>(next_pool++ % 5);
    const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = recurrent, .pool = pool});
    const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
    const std::string text = "a good film not a bad";
    const TextTrace trace = tracer.trace(text, {.gradient = GradientRequest{.output = "yes"}});
    EXPECT_EQ(trace.gradient_of, "log p(yes)");
    const std::vector<int32_t> ids = model.encode(text);
    const auto twin = model.network->cast(DType::kComplex128);
    const auto log_p = [&] {
      Tape tape(*exact);
      const Variable logits = twin->forward(tape, ids, Packing(std::vector<int64_t>{6})).logits;
      return value_of(weighted_sum(softmax_cross_entropy(logits, {1}).losses, weight(-1)));
    };
    EXPECT_NEAR(trace.gradient_value, log_p().real(), 1e-4);
    EXPECT_NEAR(trace.gradient_value, std::log(trace.output.at(1)), 1e-4);
    expect_exact(trace.d_tokens, ids, twin->embedding().table(), log_p);
    for (const LayerTrace& layer : trace.layers) EXPECT_TRUE(layer.d_states);
  }
}

TEST(TraceGradients, OfOneOfSeveralLabelsIsThatOfItsOwnProbability) {
  const auto backend = open_device("cpu", 1);
  const ClassifierModel model = worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}}, true);
  const TextTrace trace =
      Tracer(pack_classifier(model), "m.rondo", *backend, {})
          .trace("a bad film", {.gradient = GradientRequest{.loss = true, .output = "so"}});
  EXPECT_NEAR(trace.gradient_value, -std::log(trace.output.at(2)), 1e-5);
  EXPECT_EQ(trace.gradient_of, "loss: -log p(so)");
}

// d h_t [1, H] gives d x_t = W^T (d h_t * (1 - h_t^2)): what arrives at a step is what its token gets.
TEST(TraceGradients, ArriveAtEveryStepOfTheLayers) {
  const auto backend = open_device("cpu", 1);
  const ClassifierModel model = worded_classifier(
      {.embedding = 4, .recurrent = {.cell = Cell::kRnn, .hidden = 5}, .pool = PoolKind::kMean});
  const Tracer tracer(pack_classifier(model), "m.rondo", *backend, {});
  const TextTrace trace = tracer.trace("a good film not bad", {.gradient = GradientRequest{}});
  const ConstMatrix w = tracer.stack().weights(0).w_ih;
  const LayerTrace& layer = trace.layers[0];
  for (int64_t t = 0; t < 5; ++t) {
    const std::vector<float> h = row_of(layer.find("h").values, t), d_h = row_of(layer.d_states, t);
    for (int64_t e = 0; e < 4; ++e) {
      double sum = 0;
      for (int64_t j = 0; j < 5; ++j) {
        const auto at = static_cast<size_t>(j);
        sum += static_cast<double>(w.row<float>(j)[e]) * d_h[at] * (1 - h[at] * h[at]);
      }
      EXPECT_NEAR(trace.d_tokens.at(t * 4 + e), sum, 1e-6);
    }
  }
}

TEST(TraceGradients, OfALanguageModelAreExactAndSeeNoTokenBehindTheirStep) {
  const auto backend = open_device("cpu", 1), exact = open_device("reference", 1);
  for (const bool tied : {false, true}) {
    LanguageModelOptions options{.embedding = 6, .recurrent = {.hidden = 6, .layers = 2}, .tied = tied};
    const LanguageModel model = small_language_model(options);
    const Tracer tracer(pack_language_model(model), "m.rondo", *backend, {});
    const auto twin = model.network->cast(DType::kComplex128);
    std::vector<int32_t> ids = model.encode("abcab");
    ids.insert(ids.begin(), model.end());
    const auto log_p = [&](int64_t first, std::vector<int32_t> targets, double scale) {
      Tape tape(*exact);
      const LanguagePass pass = twin->forward(tape, ids, Packing(std::vector<int64_t>{6}));
      const Variable y = slice(pass.y, {.first_row = first, .rows = static_cast<int64_t>(targets.size())});
      return value_of(twin->output().loss(y, std::move(targets), scale));
    };
    const TextTrace one = tracer.trace("abcab", {.gradient = GradientRequest{.output = "d", .step = 2}});
    EXPECT_EQ(one.gradient_of, "log p(d after step 2)");
    for (int64_t t = 3; t < 6; ++t) {
      for (const float value : row_of(one.d_tokens, t)) EXPECT_EQ(value, 0);
      for (const float value : row_of(one.layers[0].d_states, t)) EXPECT_EQ(value, 0);
    }
    const TextTrace all = tracer.trace("abcab", {.gradient = GradientRequest{.loss = true}});
    EXPECT_EQ(all.gradient_of, "loss");
    if (tied) continue;  // the table is the output layer too: its derivative is not that of the inputs
    expect_exact(one.d_tokens, ids, twin->embedding().table(),
                 [&] { return log_p(2, {model.vocabulary.id("d")}, -1); });
    const std::vector<int32_t> targets(ids.begin() + 1, ids.end());
    expect_exact(all.d_tokens, ids, twin->embedding().table(), [&] { return log_p(0, targets, 1); });
  }
}

TEST(TraceGradients, OfATaggerAreExact) {
  const auto backend = open_device("cpu", 1), exact = open_device("reference", 1);
  for (const TaggerOptions& options : small_taggers()) {
    if (options.embedding == 0) continue;
    const TaggerModel model = small_tagger(options);
    const Tracer tracer(pack_tagger(model), "m.rondo", *backend, {});
    const auto twin = model.network->cast(DType::kComplex128);
    const std::vector<std::string> words = {"ada", "met", "ada", "London"};
    WordForms forms = model.forms();
    std::vector<int32_t> numbers, ids;
    for (const std::string& word : words) {
      numbers.push_back(forms.add(word));
      ids.push_back(forms.id(numbers.back()));
    }
    const TaggerBatchWords batch = distinct_words(forms, numbers);
    const Packing packing(std::vector<int64_t>{4});
    const auto first_columns = [&](const Tensor& all) {  // of the word embeddings
      const Tensor part({4, options.embedding});
      for (int64_t t = 0; t < 4; ++t) {
        std::copy_n(all.matrix().row<float>(t), options.embedding, part.matrix().row<float>(t));
      }
      return part;
    };

    const TextTrace one =
        tracer.trace("ada met ada London", {.gradient = GradientRequest{.output = "O", .step = 1}});
    EXPECT_EQ(one.gradient_of, "log p(O for word 1)");
    EXPECT_NEAR(one.gradient_value,
                std::log(one.predictions.at(1 * one.predictions.dim(1) +
                                            (std::ranges::find(one.labels, "O") - one.labels.begin()))),
                1e-4);
    const auto label =
        static_cast<int64_t>(std::ranges::find(model.labels.names(), "O") - model.labels.names().begin());
    expect_exact(first_columns(one.d_tokens), ids, *twin->word_table(), [&] {
      Tape tape(*exact);
      const Tensor marginals = twin->chain().marginals(twin->scores(tape, batch, packing), packing);
      return std::log(marginals.data<Complex>()[marginals.dim(1) + label]);
    });

    const TextTrace all = tracer.trace("ada met ada London", {.gradient = GradientRequest{.loss = true}});
    Tape plain(*backend);
    const std::vector<int32_t> best =
        model.network->decode(model.network->scores(plain, batch, packing), packing)[0].labels;
    expect_exact(first_columns(all.d_tokens), ids, *twin->word_table(), [&] {
      Tape tape(*exact);
      return value_of(twin->loss(twin->scores(tape, batch, packing), best, packing, 1));
    });
    if (options.characters != CharacterPart::kLstm) continue;
    double reached = 0;
    for (const float value : all.layers[0].d_states.values<float>()) reached += std::abs(value);
    EXPECT_GT(reached, 0) << "the characters' states have a gradient too";
  }
}

TEST(TraceGradients, OfATranslatorAreExactInSourceAndTarget) {
  const auto backend = open_device("cpu", 1), exact = open_device("reference", 1);
  for (const AttentionKind attention : {AttentionKind::kGeneral, AttentionKind::kBahdanau}) {
    const TranslatorModel model = worded_translator({.embedding = 6, .hidden = 8, .attention = attention});
    const Tracer tracer(translator_file(model), "m.rondo", *backend, {});
    const auto twin = model.network->cast(DType::kComplex128);
    const TokenPair pair{.source = model.encode_source("s1 s2 s1 s4"),
                         .target = model.encode_target("t3 t1 t5")};
    const TokenPair* const pairs[] = {&pair};
    const TranslatorBatch batch = make_translator_batch(pairs, model.target.end());
    const auto log_p = [&](int64_t step) {
      Tape tape(*exact);
      TranslatorPass pass = twin->forward(tape, batch);
      std::vector<int32_t> told = batch.targets;
      if (step >= 0) {
        pass.y = slice(pass.y, {.first_row = step, .rows = 1});
        told = {batch.targets[static_cast<size_t>(step)]};
      }
      return value_of(twin->loss(pass, told, -1));
    };
    for (const int64_t step : {int64_t{-1}, int64_t{2}}) {
      const TextTrace trace =
          tracer.trace("s1 s2 s1 s4", {.gradient = GradientRequest{.step = step}, .target = "t3 t1 t5"});
      EXPECT_NEAR(trace.gradient_value, log_p(step).real(), 1e-4);
      expect_exact(trace.d_tokens, pair.source, twin->parameters().find("encoder.embedding.weight"),
                   [&] { return log_p(step); });
      expect_exact(trace.d_target_tokens, batch.inputs, twin->parameters().find("decoder.embedding.weight"),
                   [&] { return log_p(step); });
    }
  }
}

TEST(TraceGradients, OfABfloat16ModelAreNearThoseOfFloat32) {
  const auto backend = open_device("cpu", 1);
  const ModelFile file = pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}}));
  const GradientRequest wanted;
  const Tensor full =
      Tracer(file, "m.rondo", *backend, {}).trace("a good film", {.gradient = wanted}).d_tokens;
  const Tensor narrow = Tracer(file, "m.rondo", *backend, {.precision = RunPrecision::kBfloat16})
                            .trace("a good film", {.gradient = wanted})
                            .d_tokens;
  EXPECT_FALSE(same_bits(full, narrow));
  for (int64_t e = 0; e < full.size(); ++e)
    EXPECT_NEAR(full.at(e), narrow.at(e), 0.02 + 0.05 * std::abs(full.at(e)));
}

TEST(TraceGradients, OfWhatIsNotThereAreRefused) {
  const auto backend = open_device("cpu", 1);
  const auto message = [](const Tracer& tracer, const GradientRequest& request) -> std::string {
    try {
      tracer.trace("a", {.gradient = request});
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  const Tracer classifier(pack_classifier(worded_classifier({.embedding = 4, .recurrent = {.hidden = 5}})),
                          "m.rondo", *backend, {});
  EXPECT_THAT(message(classifier, {.output = "maybe"}), HasSubstr("no label maybe"));
  const LanguageModel language = small_language_model({.embedding = 4, .recurrent = {.hidden = 5}});
  const Tracer speaker(pack_language_model(language), "m.rondo", *backend, {});
  EXPECT_THAT(message(speaker, {.step = 7}), HasSubstr("steps are 0 to 1"));
  EXPECT_THAT(message(speaker, {.output = "zebra"}), HasSubstr("no token zebra"));
  const Tracer tagger(pack_tagger(small_tagger(small_taggers()[0])), "m.rondo", *backend, {});
  EXPECT_THAT(message(tagger, {.output = "B-LOC"}), HasSubstr("no tag B-LOC"));
  EXPECT_THAT(message(tagger, {.output = "I-X", .step = 0}), HasSubstr("forbids the tag I-X"));
}

}  // namespace
}  // namespace rondo
