#include "models/captioner_network.h"

#include <cmath>
#include <cstring>

#include "layers/exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using Complex = std::complex<double>;
using testing::HasSubstr;

constexpr int64_t kVocabulary = 7;
constexpr int32_t kEnd = 1;

CaptionerOptions small(CaptionAttention attention) {
  return {.embedding = 4,
          .hidden = 5,
          .attention = attention,
          .attention_size = attention == CaptionAttention::kNone ? CaptionerOptions().attention_size : 3,
          .image_size = 8,
          .grey = true,
          .filters = 2,
          .blocks = 2,
          .dropout = 0};
}

CaptionerOptions given(CaptionAttention attention, int64_t regions = 3) {
  CaptionerOptions options = small(attention);
  const CaptionerOptions defaults;
  options.image_size = defaults.image_size;
  options.grey = false;
  options.filters = defaults.filters;
  options.blocks = defaults.blocks;
  options.regions = regions;
  options.region_size = 4;
  return options;
}

PictureSet pictures(const CaptionerOptions& options, int64_t count = 3) {
  PictureSet set;
  set.places = options.given() ? options.regions : options.image_size * options.image_size;
  set.columns = options.given() ? options.region_size : options.channels();
  if (options.given()) {
    set.features = random_values({count, set.places, set.columns}, 5);
  } else {
    for (int64_t i = 0; i < count * set.places * set.columns; ++i) {
      set.bytes.push_back(static_cast<uint8_t>(Stream(6).below(static_cast<uint64_t>(i), 256)));
    }
  }
  return set;
}

// Two captions of one picture, one that is empty, and lengths that differ; of three words it is known where
// they look.
std::vector<CaptionIds> captions() {
  return {{0, {2, 3}, {-1, 1}}, {2, {4, 5, 6}, {2, -1, 0}}, {0, {6}}, {1, {}}};
}

CaptionBatch batch_of(const CaptionerOptions& options, const std::vector<CaptionIds>& all) {
  std::vector<const CaptionIds*> chosen;
  for (const CaptionIds& caption : all) chosen.push_back(&caption);
  return make_caption_batch(chosen, pictures(options), kEnd);
}

std::unique_ptr<CaptionerNetwork> made(const CaptionerOptions& options) {
  auto network = std::make_unique<CaptionerNetwork>(options, kVocabulary);
  network->initialize(Stream(4), kEnd);
  // Far from the origin, so that words and regions differ.
  uint64_t seed = 40;
  for (Parameter& parameter : network->parameters().all()) {
    const Tensor noise = random_values(parameter.value.shape(), seed++);
    for (int64_t i = 0; i < noise.size(); ++i) parameter.value.data<float>()[i] += noise.data<float>()[i] / 2;
  }
  return network;
}

void expect_exact(const CaptionerOptions& options, const CaptionLossOptions& loss, Look look = Look::kAll) {
  SCOPED_TRACE(std::string(name_of(options.attention)) + (options.given() ? " given" : ""));
  const auto exact = made(options)->cast(DType::kComplex128);
  const CaptionBatch batch = batch_of(options, captions());
  std::vector<int32_t> regions;
  for (int64_t r = 0; r < batch.num_targets(); ++r) regions.push_back(static_cast<int32_t>(r % 3));
  expect_exact_gradients(exact->parameters(), [&](Tape& tape) {
    return exact->loss(exact->forward(tape, batch, {look, regions}), batch, loss).total;
  });
}

TEST(CaptionBatch, APictureStandsThereOnceAndCaptionsByFallingLength) {
  const CaptionBatch batch = batch_of(small(CaptionAttention::kSoft), captions());
  EXPECT_EQ(batch.num_pictures, 3);
  EXPECT_EQ(batch.pictures.shape(), (Shape{64 * 3, 1}));
  EXPECT_THAT(batch.sources, testing::ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(batch.inputs, testing::ElementsAre(1, 1, 1, 1, 4, 2, 6, 5, 3, 6));
  EXPECT_THAT(batch.targets, testing::ElementsAre(4, 2, 6, 1, 5, 3, 1, 6, 1, 1));
  EXPECT_THAT(batch.looks, testing::ElementsAre(2, -1, -1, -1, -1, 1, -1, 0, -1, -1));
  EXPECT_THAT(batch_of(small(CaptionAttention::kSoft), {{0, {2, 3}}}).looks, testing::IsEmpty());
}

TEST(CaptionerNetwork, EveryAttentionHasExactGradients) {
  const CaptionLossOptions loss{.scale = 0.2, .even_attention = 0.5};
  expect_exact(small(CaptionAttention::kSoft), loss);
  expect_exact(small(CaptionAttention::kNone), loss);
  expect_exact(given(CaptionAttention::kSoft), loss);
  expect_exact(small(CaptionAttention::kSoft), {.scale = 0.2, .taught_attention = 0.5});
  CaptionerOptions plain = given(CaptionAttention::kSoft);
  plain.selector = plain.places = false;
  plain.dropout = 0.4;
  expect_exact(plain, loss);
}

TEST(CaptionerNetwork, HardAttentionHasExactGradientsOfWhatItLearnsFrom) {
  const CaptionLossOptions loss{.scale = 0.2, .reward = 0.6, .baseline = -1.5, .entropy = 0.1};
  expect_exact(given(CaptionAttention::kHard), loss, Look::kGiven);
  expect_exact(given(CaptionAttention::kHard), loss, Look::kDrawn);
  expect_exact(given(CaptionAttention::kHard), loss, Look::kAll);
}

TEST(CaptionerNetwork, TheEvenPenaltyIsWhatItsFormulaSaysAndHasItsLowerBound) {
  const auto backend = open_device("cpu", 1);
  const CaptionerOptions options = given(CaptionAttention::kSoft, 5);
  const auto network = made(options);
  const CaptionBatch batch = batch_of(options, captions());
  Tape tape(*backend);
  const CaptionPass pass = network->forward(tape, batch, {});
  double wanted = 0, bound = 0;
  for (int64_t n = 0; n < 4; ++n) {
    const auto length = static_cast<double>(batch.target.length(n));
    bound += (5 - length) * (5 - length) / 5;
    for (int64_t i = 0; i < 5; ++i) {
      double sum = 0;
      for (int64_t t = 0; t < batch.target.length(n); ++t) {
        sum += pass.weights.value().at(batch.target.rows().row(t, n) * 5 + i);
      }
      wanted += (1 - sum) * (1 - sum);
    }
  }
  const CaptionLoss loss = network->loss(pass, batch, {.scale = 0.1, .even_attention = 2});
  EXPECT_NEAR(loss.uneven, wanted, 1e-4);
  EXPECT_GE(loss.uneven, bound - 1e-4);
  EXPECT_NEAR(loss.total.value().at(0), 0.1 * (loss.nll + 2 * wanted), 1e-4);
  const CaptionLoss alone = network->loss(pass, batch, {.scale = 0.1});
  EXPECT_NEAR(alone.total.value().at(0), 0.1 * loss.nll, 1e-5);
}

TEST(CaptionerNetwork, WordsAreTaughtTheRegionThatTheySpeakOf) {
  const auto backend = open_device("cpu", 1);
  const CaptionerOptions options = given(CaptionAttention::kSoft);
  const auto network = made(options);
  const CaptionBatch batch = batch_of(options, captions());
  Tape tape(*backend);
  const CaptionPass pass = network->forward(tape, batch, {});
  double wanted = 0;
  for (const auto& [row, region] : {std::pair{0, 2}, {5, 1}, {7, 0}}) {
    wanted -= std::log(double{pass.weights.value().at(row * 3 + region)});
  }
  const CaptionLoss loss = network->loss(pass, batch, {.scale = 0.1, .taught_attention = 2});
  EXPECT_NEAR(loss.taught, wanted, 1e-4);
  EXPECT_NEAR(loss.total.value().at(0), 0.1 * (loss.nll + 2 * wanted), 1e-4);
}

TEST(CaptionerNetwork, PermutedRegionsPermuteTheAttentionAndLeaveTheWords) {
  const auto backend = open_device("cpu", 1);
  CaptionerOptions options = given(CaptionAttention::kSoft, 4);
  options.places = false;
  const auto network = made(options);
  const PictureSet set = pictures(options, 1);
  const std::vector<int64_t> order = {2, 0, 3, 1};
  PictureSet permuted = set;
  permuted.features = Tensor(set.features.shape());
  for (int64_t i = 0; i < 4; ++i) {
    std::memcpy(permuted.features.data<float>() + i * 4,
                set.features.data<float>() + order[static_cast<size_t>(i)] * 4, 4 * sizeof(float));
  }
  const CaptionIds caption{0, {2, 3, 4}};
  const CaptionIds* const one[] = {&caption};
  const CaptionBatch batch = make_caption_batch(one, set, kEnd);
  const CaptionBatch other = make_caption_batch(one, permuted, kEnd);
  Tape tape(*backend);
  const CaptionPass a = network->forward(tape, batch, {}), b = network->forward(tape, other, {});
  for (int64_t r = 0; r < 4; ++r) {
    for (int64_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(b.weights.value().at(r * 4 + i),
                  a.weights.value().at(r * 4 + order[static_cast<size_t>(i)]), 1e-5);
    }
  }
  const Tensor before = network->losses(a, batch.targets), after = network->losses(b, other.targets);
  for (int64_t r = 0; r < 4; ++r) EXPECT_NEAR(after.at(r), before.at(r), 1e-4);
}

/// One caption of two steps (a word and the end) over a picture of three regions.
struct Enumeration {
  static constexpr int64_t kRegions = 3, kSteps = 2;
  CaptionerOptions options = given(CaptionAttention::kHard, kRegions);
  std::unique_ptr<CaptionerNetwork> network = made(options)->cast(DType::kComplex128);
  CaptionBatch batch = batch_of(options, {{1, {3}}});

  static std::vector<int32_t> path(int number) { return {number / 3, number % 3}; }

  struct Path {
    Complex probability = 1, log_p = 0;
  };
  Path follow(Tape& tape, int number) const {
    const std::vector<int32_t> regions = path(number);
    const CaptionPass pass = network->forward(tape, batch, {Look::kGiven, regions});
    Path result;
    for (int64_t t = 0; t < kSteps; ++t) {
      result.probability *=
          pass.weights.value().data<Complex>()[t * kRegions + regions[static_cast<size_t>(t)]];
    }
    result.log_p = -network->loss(pass, batch, {}).total.value().data<Complex>()[0];
    return result;
  }
  /// sum over paths of p(s) log p(y | s).
  Complex expectation() const {
    const auto backend = open_device("reference", 1);
    Complex sum = 0;
    for (int number = 0; number < 9; ++number) {
      Tape tape(*backend);
      const Path one = follow(tape, number);
      sum += one.probability * one.log_p;
    }
    return sum;
  }
  /// The gradient of what hard attention learns from, on one path, of every parameter one after the other.
  std::vector<double> gradient(int number, double baseline) const {
    const auto backend = open_device("reference", 1);
    network->parameters().clear_gradients();
    const std::vector<int32_t> regions = path(number);
    Tape tape(*backend, {.recording = true});
    const CaptionPass pass = network->forward(tape, batch, {Look::kGiven, regions});
    // The reward is a mean over two steps: twice it is the whole log p.
    tape.backward(network->loss(pass, batch, {.reward = kSteps, .baseline = baseline / kSteps}).total);
    std::vector<double> all;
    for (const Parameter& parameter : network->parameters().all()) {
      for (int64_t e = 0; e < parameter.value.size(); ++e) all.push_back(gradient_at(parameter, e));
    }
    return all;
  }
  std::vector<double> probabilities() const {
    const auto backend = open_device("reference", 1);
    std::vector<double> all;
    for (int number = 0; number < 9; ++number) {
      Tape tape(*backend);
      all.push_back(follow(tape, number).probability.real());
    }
    return all;
  }
};

// E[REINFORCE] = the gradient of the expectation, summed over all nine paths; a constant baseline moves no
// mean.
TEST(CaptionerNetwork, ReinforceIsTheGradientOfTheExpectationOverAllPaths) {
  const Enumeration all;
  const std::vector<double> probabilities = all.probabilities();
  double sum = 0;
  for (const double p : probabilities) sum += p;
  ASSERT_NEAR(sum, 1, 1e-12);
  for (const double baseline : {0.0, -2.5}) {
    std::vector<double> mean;
    for (int number = 0; number < 9; ++number) {
      const std::vector<double> gradient = all.gradient(number, baseline);
      mean.resize(gradient.size());
      for (size_t i = 0; i < gradient.size(); ++i) {
        mean[i] -= probabilities[static_cast<size_t>(number)] * gradient[i];  // of a loss: the other sign
      }
    }
    size_t i = 0;
    for (Parameter& parameter : all.network->parameters().all()) {
      for (int64_t e = 0; e < parameter.value.size(); ++e, ++i) {
        Complex& value = parameter.value.data<Complex>()[e];
        const Complex kept = value;
        value += Complex(0, 1e-30);
        EXPECT_NEAR(mean[i], all.expectation().imag() / 1e-30, 1e-9) << parameter.name << " " << e;
        value = kept;
      }
    }
  }
}

TEST(CaptionerNetwork, ABaselineNearTheMeanRewardLowersTheVariance) {
  const Enumeration all;
  const std::vector<double> probabilities = all.probabilities();
  const double expected = all.expectation().real();
  const auto spread = [&](double baseline) {
    double squares = 0;
    for (int number = 0; number < 9; ++number) {
      for (const double g : all.gradient(number, baseline)) {
        squares += probabilities[static_cast<size_t>(number)] * g * g;
      }
    }
    return squares;  // the mean is the same for every baseline, so the squares tell the variance
  };
  EXPECT_LT(spread(expected), spread(0));
}

// The whole caption at once against one step after another with the interface of decoding.
TEST(CaptionerNetwork, StepsHaveTheBitsOfTheWholePass) {
  const auto backend = open_device("cpu", 1);
  for (const CaptionAttention kind :
       {CaptionAttention::kSoft, CaptionAttention::kHard, CaptionAttention::kNone}) {
    SCOPED_TRACE(name_of(kind));
    const CaptionerOptions options = small(kind);
    const auto network = made(options);
    const CaptionBatch batch = batch_of(options, captions());
    Tape tape(*backend);
    const CaptionPass pass = network->forward(tape, batch, network->plain_look());
    const Tensor losses = network->losses(pass, batch.targets);
    network->prepare(*backend, Precision::kFloat32);
    const PictureMemory memory = network->read(tape, batch.pictures, batch.num_pictures);
    DecoderState state = select_rows(memory.initial, batch.sources);
    const PackedRows rows = batch.target.rows();
    for (int64_t t = 0; t < rows.steps(); ++t) {
      const auto count = static_cast<size_t>(rows.count(t));
      std::vector<int32_t> kept(count);
      for (size_t n = 0; n < count; ++n) kept[n] = static_cast<int32_t>(n);
      const DecoderStep step = network->step(
          tape, memory, select_rows(state, kept),
          std::span(batch.inputs).subspan(static_cast<size_t>(rows.offsets[static_cast<size_t>(t)]), count),
          std::span(batch.sources).first(count));
      for (size_t n = 0; n < count; ++n) {
        const int64_t r = rows.row(t, static_cast<int64_t>(n));
        const auto at = static_cast<int64_t>(n) * kVocabulary + batch.targets[static_cast<size_t>(r)];
        EXPECT_FLOAT_EQ(static_cast<float>(-step.log_probabilities.at(at)), static_cast<float>(losses.at(r)));
        for (int64_t i = 0; step.attention && i < memory.regions; ++i) {
          EXPECT_EQ(step.attention.at(static_cast<int64_t>(n) * memory.regions + i),
                    pass.weights.value().at(r * memory.regions + i));
        }
      }
      state = step.state;
    }
  }
}

TEST(CaptionerNetwork, ACaptionHasTheSameBitsAloneAndAmongOthers) {
  const CaptionerOptions options = small(CaptionAttention::kSoft);
  const auto network = made(options);
  const auto one_thread = open_device("cpu", 1), two = open_device("cpu", 2);
  const CaptionBatch batch = batch_of(options, captions());
  Tape tape(*two);
  const Tensor together = network->losses(network->forward(tape, batch, {}), batch.targets);
  for (int64_t n = 0; n < 4; ++n) {
    const auto number = static_cast<size_t>(batch.target.order()[static_cast<size_t>(n)]);
    const CaptionBatch alone = batch_of(options, {captions()[number]});
    Tape other(*one_thread);
    const Tensor losses = network->losses(network->forward(other, alone, {}), alone.targets);
    for (int64_t t = 0; t < batch.target.length(n); ++t) {
      EXPECT_EQ(losses.at(t), together.at(batch.target.rows().row(t, n)));
    }
  }
}

TEST(CaptionerNetwork, ItsOptionsTellHowManyNumbersItHas) {
  for (const CaptionAttention kind :
       {CaptionAttention::kSoft, CaptionAttention::kHard, CaptionAttention::kNone}) {
    for (CaptionerOptions options : {small(kind), given(kind)}) {
      options.selector = kind == CaptionAttention::kSoft;
      options.places = !options.selector;
      const CaptionerNetwork network(options, kVocabulary);
      EXPECT_EQ(options.num_values(kVocabulary), static_cast<double>(network.parameters().num_values()));
    }
  }
}

std::string refused(const CaptionerOptions& options) {
  try {
    options.check();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(CaptionerNetwork, OptionsThatDoNotFitAreRefused) {
  CaptionerOptions options = small(CaptionAttention::kSoft);
  options.image_size = 10;
  EXPECT_THAT(refused(options), HasSubstr("multiple of 4"));
  options = small(CaptionAttention::kNone);
  options.attention_size = 7;
  EXPECT_THAT(refused(options), HasSubstr("--attention-size has no effect"));
  options = given(CaptionAttention::kSoft);
  options.grey = true;
  EXPECT_THAT(refused(options), HasSubstr("has no effect"));
  options = CaptionerOptions();
  options.regions = 4;
  EXPECT_THAT(refused(options), HasSubstr("--region-size"));
  EXPECT_EQ(refused(CaptionerOptions()), "");
}

TEST(CaptionerNetwork, PicturesOfAnotherSizeAreAnError) {
  const auto backend = open_device("cpu", 1);
  const auto network = made(given(CaptionAttention::kSoft));
  Tape tape(*backend);
  EXPECT_THROW(network->read(tape, random_values({4, 4}, 1), 1), ShapeError);
  EXPECT_THROW(network->read(tape, random_values({3, 5}, 1), 1), ShapeError);
}

}  // namespace
}  // namespace rondo
