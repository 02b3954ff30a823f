#include "models/translator_network.h"

#include <cstring>

#include "layers/exact_gradients.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

using testing::HasSubstr;

constexpr int64_t kSource = 7, kTarget = 8;
constexpr int32_t kEnd = 1;

constexpr AttentionKind kKinds[] = {AttentionKind::kNone,    AttentionKind::kBahdanau, AttentionKind::kDot,
                                    AttentionKind::kGeneral, AttentionKind::kConcat,   AttentionKind::kLocal};

TranslatorOptions small(AttentionKind attention) {
  return {.embedding = 4, .hidden = 4, .attention = attention};
}

// Both orders differ: the longest source is not the longest target's.
std::vector<TokenPair> pairs() {
  return {{{2, 3, kEnd}, {4, 5, 6}}, {{4, 2, 5, 6, kEnd}, {2}}, {{kEnd}, {}}, {{3, 3, 2, kEnd}, {7, 2}}};
}

TranslatorBatch batch_of(const std::vector<TokenPair>& all) {
  std::vector<const TokenPair*> chosen;
  for (const TokenPair& pair : all) chosen.push_back(&pair);
  return make_translator_batch(chosen, kEnd);
}

std::unique_ptr<TranslatorNetwork> made(const TranslatorOptions& options) {
  auto network = std::make_unique<TranslatorNetwork>(options, options.joint ? kTarget : kSource, kTarget);
  network->initialize(Stream(4));
  return network;
}

void expect_exact(const TranslatorOptions& options, const std::string& what, double smoothing = 0) {
  SCOPED_TRACE(what);
  const auto exact = made(options)->cast(DType::kComplex128);
  const TranslatorBatch batch = batch_of(pairs());
  expect_exact_gradients(exact->parameters(), [&](Tape& tape) {
    return exact->loss(exact->forward(tape, batch), batch.targets, 0.2, smoothing);
  });
}

TEST(TranslatorNetwork, EveryAttentionHasExactGradients) {
  for (const AttentionKind kind : kKinds) expect_exact(small(kind), name_of(kind));
}

TEST(TranslatorNetwork, InputFeedingHasExactGradients) {
  for (const AttentionKind kind :
       {AttentionKind::kDot, AttentionKind::kGeneral, AttentionKind::kConcat, AttentionKind::kLocal}) {
    TranslatorOptions options = small(kind);
    options.input_feeding = true;
    expect_exact(options, name_of(kind));
  }
}

TEST(TranslatorNetwork, EveryBridgeAndCellHasExactGradients) {
  for (const Bridge bridge : {Bridge::kDense, Bridge::kLast, Bridge::kMean, Bridge::kZero}) {
    for (const Cell cell : {Cell::kLstm, Cell::kGru}) {
      TranslatorOptions options = small(AttentionKind::kGeneral);
      options.bridge = bridge;
      options.cell = cell;
      options.layers = 2;
      expect_exact(options, std::string(name_of(bridge)) + " " + name_of(cell));
    }
  }
  TranslatorOptions uneven = small(AttentionKind::kBahdanau);
  uneven.layers = 2;
  uneven.encoder_layers = 1;
  uneven.encoder_hidden = 3;
  uneven.bidirectional = false;
  expect_exact(uneven, "a smaller encoder");
}

TEST(TranslatorNetwork, DropoutTyingAndSmoothingHaveExactGradients) {
  TranslatorOptions options = small(AttentionKind::kGeneral);
  options.embedding_dropout = options.input_dropout = options.output_dropout = options.dropout = 0.3;
  options.layers = 2;
  options.locked_dropout = true;
  expect_exact(options, "locked dropout", 0.1);
  options.locked_dropout = false;
  options.input_feeding = true;
  options.tied = true;
  expect_exact(options, "tied, fed", 0.1);
  options.joint = true;
  expect_exact(options, "one table", 0.1);
}

std::vector<float> values(const Tensor& tensor) {
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

// The whole target at once against one step after another with the interface of decoding.
TEST(TranslatorNetwork, StepsHaveTheBitsOfTheWholePass) {
  const auto backend = open_device("cpu", 1);
  const TranslatorBatch batch = batch_of(pairs());
  for (const AttentionKind kind : kKinds) {
    for (const bool feeding : {false, true}) {
      TranslatorOptions options = small(kind);
      options.layers = 2;
      options.input_feeding = feeding && kind != AttentionKind::kNone && kind != AttentionKind::kBahdanau;
      SCOPED_TRACE(std::string(name_of(kind)) + (options.input_feeding ? " fed" : ""));
      const auto network = made(options);
      Tape tape(*backend);
      const TranslatorPass pass = network->forward(tape, batch);
      const Tensor losses = network->losses(pass, batch.targets);
      const TranslatorMemory memory = network->encode(tape, batch.source_ids, batch.source);
      DecoderState state = network->begin(memory, batch.sources);
      const PackedRows rows = batch.target.rows();
      for (int64_t t = 0; t < rows.steps(); ++t) {
        const auto count = static_cast<size_t>(rows.count(t));
        std::vector<int32_t> kept(count);
        for (size_t n = 0; n < count; ++n) kept[n] = static_cast<int32_t>(n);
        const DecoderStep step = network->step(
            tape, memory, TranslatorNetwork::select(state, kept),
            std::span(batch.inputs).subspan(static_cast<size_t>(rows.offsets[static_cast<size_t>(t)]), count),
            std::span(batch.sources).first(count));
        for (size_t n = 0; n < count; ++n) {
          const auto r = static_cast<size_t>(rows.row(t, static_cast<int64_t>(n)));
          const auto at = static_cast<int64_t>(n) * kTarget + batch.targets[r];
          EXPECT_FLOAT_EQ(static_cast<float>(-step.log_probabilities.at(at)), values(losses)[r]);
          for (int64_t s = 0; step.attention && s < memory.longest(); ++s) {
            EXPECT_EQ(step.attention.at(static_cast<int64_t>(n) * memory.longest() + s),
                      pass.attention.at(static_cast<int64_t>(r) * memory.longest() + s));
          }
        }
        state = step.state;
      }
    }
  }
}

TEST(TranslatorNetwork, ARowOfAStepHasTheSameBitsAloneAndAmongOthers) {
  const auto backend = open_device("cpu", 2);
  const TranslatorBatch batch = batch_of(pairs());
  for (const AttentionKind kind : kKinds) {
    SCOPED_TRACE(name_of(kind));
    TranslatorOptions options = small(kind);
    options.input_feeding = kind == AttentionKind::kGeneral;
    const auto network = made(options);
    Tape tape(*backend);
    const TranslatorMemory memory = network->encode(tape, batch.source_ids, batch.source);
    const std::vector<int32_t> sources = {2, 0, 0, 3, 1}, previous = {kEnd, 4, 5, 2, 7};
    const DecoderStep all = network->step(tape, memory, network->begin(memory, sources), previous, sources);
    for (size_t i = 0; i < sources.size(); ++i) {
      // Its source alone too.
      const int32_t caller = batch.source.order()[static_cast<size_t>(sources[i])];
      const std::vector<int32_t> ids = pairs()[static_cast<size_t>(caller)].source;
      const Packing packing(std::vector<int64_t>{static_cast<int64_t>(ids.size())});
      const TranslatorMemory own = network->encode(tape, ids, packing);
      const std::vector<int32_t> zero = {0};
      const DecoderStep alone =
          network->step(tape, own, network->begin(own, zero), std::span(previous).subspan(i, 1), zero);
      EXPECT_EQ(std::memcmp(alone.log_probabilities.raw(),
                            all.log_probabilities.data<float>() + static_cast<int64_t>(i) * kTarget,
                            kTarget * sizeof(float)),
                0);
      for (int64_t s = 0; all.attention && s < memory.longest(); ++s) {
        const double here = all.attention.at(static_cast<int64_t>(i) * memory.longest() + s);
        EXPECT_EQ(here, s < own.longest() ? alone.attention.at(s) : 0);
      }
      EXPECT_EQ(
          values(alone.state.h[0]),
          values(TranslatorNetwork::select(all.state, std::vector<int32_t>{static_cast<int32_t>(i)}).h[0]));
    }
  }
}

// So many and wide that products (from 4 million operations), steps of the recurrent layers and attention
// are each split among threads.
std::vector<TokenPair> many_pairs() {
  std::vector<TokenPair> all;
  for (int32_t i = 0; i < 48; ++i) {
    TokenPair& pair = all.emplace_back();
    for (int32_t t = 0; t < 5 + i % 11; ++t) pair.source.push_back(2 + (i + 3 * t) % 5);
    pair.source.push_back(kEnd);
    for (int32_t t = 0; t < 4 + 7 * i % 13; ++t) pair.target.push_back(2 + (2 * i + t) % 6);
  }
  return all;
}

TEST(TranslatorNetwork, ThreadsChangeNoBitOfAGradient) {
  const TranslatorBatch batch = batch_of(many_pairs());
  ASSERT_GT(2 * batch.target.num_rows() * 128 * 128, int64_t{1} << 22);
  for (const AttentionKind kind : kKinds) {
    SCOPED_TRACE(name_of(kind));
    TranslatorOptions options = small(kind);
    options.embedding = options.hidden = 128;
    options.input_dropout = 0.2;
    const auto one = made(options), two = made(options);
    for (const auto& [network, threads] : {std::pair{&one, 1}, std::pair{&two, 2}}) {
      const auto backend = open_device("cpu", threads);
      Tape tape(*backend, {.recording = true, .training = true, .random = Stream(5)});
      tape.backward((*network)->loss((*network)->forward(tape, batch), batch.targets, 0.1, 0.1));
    }
    auto other = two->parameters().all().begin();
    for (const Parameter& parameter : one->parameters().all()) {
      const Tensor& a = parameter.sparse ? parameter.row_gradient.values : parameter.gradient;
      const Tensor& b = other->sparse ? other->row_gradient.values : other->gradient;
      ASSERT_TRUE(a && b) << parameter.name;
      EXPECT_EQ(std::memcmp(a.raw(), b.raw(), static_cast<size_t>(a.bytes())), 0) << parameter.name;
      ++other;
    }
  }
}

TEST(TranslatorNetwork, LocalAttentionWithoutEndIsGlobal) {
  const auto backend = open_device("cpu", 1);
  TranslatorOptions options = small(AttentionKind::kLocal);
  options.window = 1e6;
  const auto local = made(options), global = made(small(AttentionKind::kGeneral));
  for (Parameter& parameter : global->parameters().all()) {
    parameter.value = local->parameters().find(parameter.name).value;
  }
  const TranslatorBatch batch = batch_of(pairs());
  Tape tape(*backend);
  EXPECT_EQ(values(local->losses(local->forward(tape, batch), batch.targets)),
            values(global->losses(global->forward(tape, batch), batch.targets)));
}

TEST(TranslatorNetwork, ScheduledSamplingFeedsTheBestTokens) {
  const auto backend = open_device("cpu", 1);
  const auto network = made(small(AttentionKind::kGeneral));
  const TranslatorBatch batch = batch_of({{{2, 3, kEnd}, {4, 5, 6}}});
  const auto losses = [&](const TranslatorBatch& of, double probability) {
    Tape tape(*backend, {.random = Stream(5)});
    return values(network->losses(network->forward(tape, of, {.probability = probability}), batch.targets));
  };
  EXPECT_EQ(losses(batch, 1e-9), losses(batch, 0));  // step by step the same bits
  // At probability 1 the true tokens change nothing but what is told.
  TranslatorBatch other = batch;
  other.inputs = {kEnd, 2, 2, 7};
  EXPECT_EQ(losses(other, 1), losses(batch, 1));
  EXPECT_NE(losses(other, 0), losses(batch, 0));
  // Greedy by hand.
  Tape tape(*backend);
  const TranslatorMemory memory = network->encode(tape, batch.source_ids, batch.source);
  const std::vector<int32_t> zero = {0};
  DecoderState state = network->begin(memory, zero);
  std::vector<int32_t> token = {kEnd};
  TranslatorBatch greedy = batch;
  for (size_t t = 0; t < greedy.inputs.size(); ++t) {
    greedy.inputs[t] = token[0];
    const DecoderStep step = network->step(tape, memory, state, token, zero);
    state = step.state;
    const auto scores = values(step.log_probabilities);
    token[0] = static_cast<int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  }
  EXPECT_EQ(losses(greedy, 0), losses(batch, 1));
}

TEST(TranslatorNetwork, SmoothedLossIsTheMixtureOfItsParts) {
  const auto backend = open_device("cpu", 1);
  const auto network = made(small(AttentionKind::kGeneral));
  const TranslatorBatch batch = batch_of(pairs());
  Tape tape(*backend);
  const TranslatorPass pass = network->forward(tape, batch);
  const auto total = [&](std::vector<int32_t> targets, double smoothing) {
    return network->loss(pass, std::move(targets), 1, smoothing).value().at(0);
  };
  double uniform = 0;
  for (int32_t k = 0; k < kTarget; ++k) {
    uniform += total(std::vector<int32_t>(batch.targets.size(), k), 0) / kTarget;
  }
  EXPECT_NEAR(total(batch.targets, 0.3), 0.7 * total(batch.targets, 0) + 0.3 * uniform, 1e-4);
}

TEST(TranslatorNetwork, PreparedStepsHaveTheSameBits) {
  const auto backend = open_device("cpu", 1);
  const auto network = made(small(AttentionKind::kGeneral));
  const TranslatorBatch batch = batch_of(pairs());
  const auto step = [&] {
    Tape tape(*backend);
    const TranslatorMemory memory = network->encode(tape, batch.source_ids, batch.source);
    const std::vector<int32_t> rows = {0, 1};
    return values(network->step(tape, memory, network->begin(memory, rows), rows, rows).log_probabilities);
  };
  const auto plain = step();
  network->prepare(*backend, Precision::kFloat32);
  EXPECT_EQ(step(), plain);
}

TEST(TranslatorNetwork, StepsThatDoNotFitAreErrors) {
  const auto backend = open_device("cpu", 1);
  const auto network = made(small(AttentionKind::kGeneral));
  const TranslatorBatch batch = batch_of(pairs());
  Tape tape(*backend);
  const TranslatorMemory memory = network->encode(tape, batch.source_ids, batch.source);
  const std::vector<int32_t> rows = {0, 1}, outside = {0, 4}, none = {0, kTarget};
  const DecoderState state = network->begin(memory, rows);
  EXPECT_THROW(network->begin(memory, outside), ShapeError);
  EXPECT_THROW(network->step(tape, memory, state, rows, outside), ShapeError);
  EXPECT_THROW(network->step(tape, memory, state, none, rows), DataError);
  EXPECT_THROW(network->step(tape, memory, state, std::span(rows).first(1), rows), ShapeError);
}

TEST(TranslatorOptions, CountsTheNumbersOfTheNetwork) {
  for (const AttentionKind kind : kKinds) {
    for (const Bridge bridge : {Bridge::kDense, Bridge::kLast, Bridge::kMean, Bridge::kZero}) {
      for (const bool tied : {false, true}) {
        TranslatorOptions options = small(kind);
        options.bridge = bridge;
        if (!options.attends() && bridge == Bridge::kZero)
          continue;  // refused: nothing of the source arrives
        options.tied = options.joint = tied;
        options.layers = 2;
        options.embedding = 6;
        const auto network = made(options);
        EXPECT_EQ(options.num_values(network->source_vocabulary(), kTarget),
                  static_cast<double>(network->parameters().num_values()))
            << name_of(kind) << " " << name_of(bridge) << " " << tied;
      }
    }
  }
}

TEST(TranslatorOptions, ThatDoNotFitAreErrors) {
  const auto refused = [](const TranslatorOptions& options, const char* words) {
    try {
      options.check();
      FAIL() << words << " was accepted";
    } catch (const ConfigError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
    }
  };
  TranslatorOptions options;
  options.hidden = 7;
  refused(options, "--hidden 7");
  options = {.encoder_hidden = 100, .attention = AttentionKind::kDot};
  refused(options, "--attention dot");
  options = {.encoder_hidden = 100, .bridge = Bridge::kLast};
  refused(options, "--bridge last");
  options = {.attention = AttentionKind::kBahdanau, .input_feeding = true};
  refused(options, "--input-feeding");
  options = {.window = 5};
  refused(options, "--window");
  options = {.dropout = 0.1};
  refused(options, "--dropout");
  options = {.locked_dropout = true};
  refused(options, "--locked-dropout");
}

}  // namespace
}  // namespace rondo
