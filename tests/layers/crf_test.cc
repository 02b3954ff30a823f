// The CRF layer: constraints, gradients through them, paths and probabilities in the caller's order.
#include "layers/crf.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "exact_gradients.h"
#include "layers/linear.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kBio = {"O", "B-PER", "I-PER", "B-LOC", "I-LOC"};
const std::vector<std::string> kBioes = {"O", "B-X", "I-X", "E-X", "S-X", "B-Y", "I-Y", "E-Y", "S-Y"};

struct Layer {
  ParameterSet set;
  Crf crf;
  explicit Layer(int64_t labels, CrfConstraints constraints = {}, DType type = DType::kFloat32)
      : crf(set, {.labels = labels, .type = type}, std::move(constraints)) {
    randomize(set, 20);
  }
};

Packing packing_of(const std::vector<int64_t>& lengths) { return Packing(lengths); }

TEST(CrfConstraints, BioSpansAreContinuedByTheirOwnTypeOnly) {
  const CrfConstraints bio(TagScheme::kBio, kBio);
  EXPECT_TRUE(bio.allows(1, 2) && bio.allows(2, 2) && bio.allows(1, 1) && bio.allows(2, 3) &&
              bio.allows(1, 0));
  EXPECT_FALSE(bio.allows(0, 2) || bio.allows(3, 2) || bio.allows(4, 2) || bio.allows(1, 4));
  EXPECT_TRUE(bio.allows_first(0) && bio.allows_first(1) && bio.allows_last(1) && bio.allows_last(2));
  EXPECT_FALSE(bio.allows_first(2) || bio.allows_first(4));
}

TEST(CrfConstraints, BioesSpansMustBeEnded) {
  const CrfConstraints bioes(TagScheme::kBioes, kBioes);
  for (int32_t from = 0; from < 9; ++from) {
    const bool open = kBioes[from][0] == 'B' || kBioes[from][0] == 'I';
    EXPECT_EQ(bioes.allows_last(from), !open);
    EXPECT_EQ(bioes.allows_first(from), kBioes[from][0] != 'I' && kBioes[from][0] != 'E');
    for (int32_t to = 0; to < 9; ++to) {
      const bool goes_on = kBioes[to][0] == 'I' || kBioes[to][0] == 'E';
      const bool same_type = kBioes[from].back() == kBioes[to].back();
      EXPECT_EQ(bioes.allows(from, to), open ? goes_on && same_type : !goes_on) << from << " " << to;
    }
  }
}

TEST(CrfConstraints, WithoutASchemeAllIsAllowed) {
  const CrfConstraints none(TagScheme::kNone, kBio);
  EXPECT_TRUE(none.empty() && none.allows(0, 2) && none.allows_first(2) && none.allows_last(2));
  EXPECT_EQ(none.first_break(std::vector<int32_t>{2, 4}), -1);
}

TEST(CrfConstraints, LabelsWithoutATypeAreASchemeToo) {
  const CrfConstraints bio(TagScheme::kBio, std::vector<std::string>{"B", "I", "O"});
  EXPECT_TRUE(bio.allows(0, 1));
  EXPECT_FALSE(bio.allows(2, 1));
}

TEST(CrfConstraints, FirstBreakIsTheStepThatIsForbidden) {
  const CrfConstraints bioes(TagScheme::kBioes, kBioes);
  EXPECT_EQ(bioes.first_break({}), -1);
  EXPECT_EQ(bioes.first_break(std::vector<int32_t>{0, 1, 2, 3, 4}), -1);
  EXPECT_EQ(bioes.first_break(std::vector<int32_t>{3, 0}), 0);
  EXPECT_EQ(bioes.first_break(std::vector<int32_t>{0, 1, 7}), 2);
  EXPECT_EQ(bioes.first_break(std::vector<int32_t>{0, 1, 2}), 3);
}

TEST(CrfConstraints, RefusesLabelsOfNoScheme) {
  for (const char* name : {"", "B-", "X-PER", "BPER", "E-PER", "B_PER", "NOUN", "OO"}) {
    EXPECT_THROW(CrfConstraints(TagScheme::kBio, std::vector<std::string>{"O", name}), ConfigError) << name;
  }
  try {
    const CrfConstraints constraints(TagScheme::kBioes, std::vector<std::string>{"O", "NOUN"});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("BIOES labels are O, B, I, E and S"));
    EXPECT_THAT(error.what(), HasSubstr("\"NOUN\""));
  }
}

TEST(Crf, ParametersHavePytorchCrfsNamesAndSizes) {
  Layer layer(4);
  EXPECT_EQ(layer.set.find("crf.transitions").value.shape(), (Shape{4, 4}));
  EXPECT_EQ(layer.set.find("crf.start_transitions").value.shape(), (Shape{4}));
  EXPECT_EQ(layer.set.find("crf.end_transitions").value.shape(), (Shape{4}));
  EXPECT_EQ(layer.set.all().size(), 3U);
}

TEST(Crf, HasExactGradientsWithAndWithoutConstraints) {
  constexpr DType kComplex = DType::kComplex128;
  const Packing packing = packing_of({3, 0, 5, 1});
  for (const bool constrained : {false, true}) {
    SCOPED_TRACE(constrained);
    Layer layer(5, constrained ? CrfConstraints(TagScheme::kBio, kBio) : CrfConstraints(), kComplex);
    Parameter& scores = layer.set.add("scores", random_values({9, 5}, 9, kComplex));
    // Packed: O B-PER B-LOC | B-PER I-PER | I-PER O | O | B-LOC; the longest is O B-PER I-PER O B-LOC.
    const std::vector<int32_t> targets = {0, 1, 3, 1, 2, 2, 0, 0, 3};
    expect_exact_gradients(layer.set, [&](Tape& tape) {
      const Variable losses = layer.crf.loss(tape.parameter(scores), targets, packing);
      return weighted_sum(activate(Activation::kTanh, losses), random_values({4}, 4, kComplex));
    });
    if (!constrained) continue;
    const CrfConstraints& rules = layer.crf.constraints();
    for (int32_t e = 0; e < 25; ++e) {
      const double gradient = layer.set.find("crf.transitions").gradient.at(e);
      EXPECT_EQ(gradient != 0, rules.allows(e / 5, e % 5)) << e;
    }
  }
}

// What the sum over all allowed paths is, by hand.
double log_total_of_allowed(const Layer& layer, const Tensor& scores, int64_t length, int64_t& paths) {
  const auto K = layer.crf.num_labels();
  const auto value = [&](const char* name, int64_t e) {
    return const_cast<ParameterSet&>(layer.set).find(name).value.at(e);
  };
  double sum = 0;
  for (int64_t code = 0; code < static_cast<int64_t>(std::pow(K, length)); ++code) {
    std::vector<int32_t> path;
    for (int64_t t = 0, rest = code; t < length; ++t, rest /= K)
      path.push_back(static_cast<int32_t>(rest % K));
    if (layer.crf.constraints().first_break(path) >= 0) continue;
    double score = value("crf.start_transitions", path.front()) + value("crf.end_transitions", path.back());
    for (int64_t t = 0; t < length; ++t) {
      score += scores.at(t * K + path[t]);
      if (t > 0) score += value("crf.transitions", path[t - 1] * K + path[t]);
    }
    sum += std::exp(score);
    ++paths;
  }
  return std::log(sum);
}

TEST(Crf, ProbabilitiesAreSharesOfTheAllowedPaths) {
  Layer layer(5, CrfConstraints(TagScheme::kBio, kBio), DType::kFloat64);
  for (const char* name : {"cpu", "reference"}) {
    const auto backend = open_device(name, 1);
    Tape tape(*backend);
    const Tensor scores = random_values({4, 5}, 6, DType::kFloat64);
    int64_t allowed = 0;
    const double log_z = log_total_of_allowed(layer, scores, 4, allowed);
    const Packing packing = packing_of({4});
    const auto paths = layer.crf.n_best(tape.input(scores), packing, 1000)[0];
    ASSERT_EQ(static_cast<int64_t>(paths.size()), allowed);
    double sum = 0, before = INFINITY;
    for (const CrfPath& path : paths) {
      EXPECT_EQ(layer.crf.constraints().first_break(path.labels), -1);
      EXPECT_NEAR(path.log_probability, path.score - log_z, 1e-12);
      EXPECT_LE(path.score, before);
      before = path.score;
      sum += std::exp(path.log_probability);
    }
    EXPECT_NEAR(sum, 1, 1e-12);
    const Tensor loss = layer.crf.loss(tape.input(scores), paths[7].labels, packing).value();
    EXPECT_NEAR(loss.at(0), -paths[7].log_probability, 1e-12);
  }
}

TEST(Crf, NoPathAndNoMarginalBreaksTheScheme) {
  const auto backend = open_device("cpu", 2);
  for (const bool bioes : {false, true}) {
    const auto& names = bioes ? kBioes : kBio;
    Layer layer(static_cast<int64_t>(names.size()),
                CrfConstraints(bioes ? TagScheme::kBioes : TagScheme::kBio, names));
    std::vector<int64_t> lengths(40);
    std::iota(lengths.begin(), lengths.end(), 0);
    const Packing packing(lengths);
    Tape tape(*backend);
    const Tensor values = random_values({packing.num_rows(), layer.crf.num_labels()}, 8);
    backend->scale(values.matrix(), 5);
    const Variable scores = tape.input(values);
    const auto paths = layer.crf.decode(scores, packing);
    ASSERT_EQ(paths.size(), lengths.size());
    for (size_t n = 0; n < paths.size(); ++n) {
      EXPECT_EQ(static_cast<int64_t>(paths[n].labels.size()), lengths[n]);
      EXPECT_EQ(layer.crf.constraints().first_break(paths[n].labels), -1) << n;
    }
    const Tensor marginals = layer.crf.marginals(scores, packing);
    for (int64_t n = 0; n < 39; ++n) {  // the first rows of all sequences that have one
      for (int32_t k = 0; k < layer.crf.num_labels(); ++k) {
        if (layer.crf.constraints().allows_first(k)) continue;
        EXPECT_LT(marginals.at(n * layer.crf.num_labels() + k), 1e-30);
      }
    }
  }
}

TEST(Crf, PathsStandInTheCallersOrderAndLossesInPackedOrder) {
  Layer layer(3);
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Packing packing = packing_of({1, 0, 3});  // packed: 3, 1, 0
  const Variable scores = tape.input(random_values({4, 3}, 5));
  const auto paths = layer.crf.decode(scores, packing);
  EXPECT_EQ(paths[0].labels.size(), 1U);
  EXPECT_THAT(paths[1].labels, IsEmpty());
  EXPECT_EQ(paths[1].score, 0);
  EXPECT_EQ(paths[2].labels.size(), 3U);
  const Tensor losses = layer.crf.loss(scores, {0, 1, 2, 0}, packing).value();
  EXPECT_EQ(losses.shape(), (Shape{1, 3}));
  EXPECT_GT(losses.at(0), 0);
  EXPECT_GT(losses.at(1), 0);
  EXPECT_EQ(losses.at(2), 0);
  const auto lists = layer.crf.n_best(scores, packing, 5);
  EXPECT_EQ(lists[0].size(), 3U);
  EXPECT_EQ(lists[1].size(), 1U);
  EXPECT_EQ(lists[2].size(), 5U);
  EXPECT_EQ(lists[1][0].log_probability, 0);
  EXPECT_EQ(lists[2][0].labels, paths[2].labels);
}

// log Z is 100,000 here: a float next to it is 0.008 away.
TEST(Crf, ProbabilitiesOfLongSurePathsKeepTheirDigits) {
  constexpr int64_t kSteps = 10000;
  Layer layer(3);
  for (Parameter& parameter : layer.set.all()) parameter.value.fill(0);
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Tensor scores = Tensor::zeros({kSteps, 3});
  for (int64_t t = 0; t < kSteps; ++t) scores.data<float>()[t * 3] = 10;
  const auto paths = layer.crf.n_best(tape.input(scores), packing_of({kSteps}), 2)[0];
  const double wanted = -static_cast<double>(kSteps) * std::log1p(2 * std::exp(-10.0));
  EXPECT_NEAR(paths[0].log_probability, wanted, 2e-3);
  EXPECT_NEAR(paths[1].log_probability, wanted - 10, 2e-3);
}

TEST(Crf, ASequenceThatNoAllowedPathFitsHasAFiniteLossAndAPath) {
  // Without O and S a sentence of one word has no path at all.
  Layer layer(3, CrfConstraints(TagScheme::kBioes, std::vector<std::string>{"B", "I", "E"}));
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Packing packing = packing_of({1});
  const auto lists = layer.crf.n_best(tape.input(random_values({1, 3}, 5)), packing, 3);
  ASSERT_EQ(lists[0].size(), 3U);
  for (const CrfPath& path : lists[0]) EXPECT_TRUE(std::isfinite(path.log_probability));
}

TEST(Crf, NoSequencesHaveNoLossAndNoPaths) {
  Layer layer(3);
  const auto backend = open_device("cpu", 1);
  for (const auto& lengths : {std::vector<int64_t>{}, std::vector<int64_t>{0, 0}}) {
    const Packing packing(lengths);
    Tape tape(*backend, {.recording = true});
    const Variable scores = tape.input(Tensor::zeros({0, 3}), true);
    EXPECT_EQ(layer.crf.loss(scores, {}, packing).value().size(), packing.sequences());
    EXPECT_EQ(layer.crf.decode(scores, packing).size(), lengths.size());
    EXPECT_EQ(layer.crf.n_best(scores, packing, 2).size(), lengths.size());
    EXPECT_EQ(layer.crf.marginals(scores, packing).size(), 0);
  }
}

TEST(Crf, InitialWeightsFollowTheRule) {
  Layer layer(9);
  layer.crf.initialize(Initialization::kTorch, Stream(1));
  for (const Parameter& parameter : layer.set.all()) {
    double largest = 0;
    for (const float value : parameter.value.values<float>())
      largest = std::max<double>(largest, std::abs(value));
    EXPECT_LE(largest, 0.1) << parameter.name;
    EXPECT_GT(largest, 0.05) << parameter.name;
  }
  layer.crf.initialize(Initialization::kKeras, Stream(1));
  EXPECT_EQ(layer.set.find("crf.end_transitions").value.at(3), 0);
  EXPECT_NE(layer.set.find("crf.transitions").value.at(3), 0);
}

// A hidden Markov model of 3 states and 6 symbols, and sequences drawn from it.
struct Hmm {
  static constexpr int64_t kStates = 3, kSymbols = 6, kLength = 15;
  double move[3][3] = {{0.8, 0.15, 0.05}, {0.1, 0.7, 0.2}, {0.25, 0.05, 0.7}};
  double emission[3][6] = {
      {0.5, 0.2, 0.1, 0.1, 0.05, 0.05}, {0.1, 0.1, 0.4, 0.2, 0.15, 0.05}, {0.05, 0.2, 0.05, 0.2, 0.1, 0.4}};
  double first[3] = {0.6, 0.3, 0.1};

  static int32_t draw(const double* shares, int64_t count, double uniform) {
    int32_t k = 0;
    while (k + 1 < count && uniform >= shares[k]) uniform -= shares[k++];
    return k;
  }
};

struct HmmSample {
  Packing packing;
  Tensor symbols;  ///< [R, 6], one in the place of each symbol
  std::vector<int32_t> states;

  HmmSample(const Hmm& hmm, int64_t sequences, uint64_t seed)
      : packing(std::vector<int64_t>(static_cast<size_t>(sequences), Hmm::kLength)),
        symbols(Tensor::zeros({packing.num_rows(), Hmm::kSymbols})) {
    const Stream stream(seed);
    for (int64_t r = 0; r < packing.num_rows(); ++r) {  // rows are time-major: before r stands r - sequences
      const double* shares = r < sequences ? hmm.first : hmm.move[states[r - sequences]];
      states.push_back(Hmm::draw(shares, Hmm::kStates, stream.uniform(2 * r)));
      const int32_t symbol = Hmm::draw(hmm.emission[states.back()], Hmm::kSymbols, stream.uniform(2 * r + 1));
      symbols.data<float>()[r * Hmm::kSymbols + symbol] = 1;
    }
  }
};

/// Scores of symbols by a table, and a CRF over them.
struct HmmTagger {
  ParameterSet set;
  Linear scores{set, "scores", {.input = Hmm::kSymbols, .output = Hmm::kStates}};
  Crf crf{set, {.labels = Hmm::kStates}};

  /// The HMM itself: what Bayes' rule says.
  void become(const Hmm& hmm) {
    for (int64_t i = 0; i < 3; ++i) {
      set.find("crf.start_transitions").value.data<float>()[i] = std::log(hmm.first[i]);
      for (int64_t j = 0; j < 3; ++j)
        set.find("crf.transitions").value.data<float>()[i * 3 + j] = std::log(hmm.move[i][j]);
      for (int64_t s = 0; s < 6; ++s)
        set.find("scores.weight").value.data<float>()[i * 6 + s] = std::log(hmm.emission[i][s]);
    }
  }
  void learn(Backend& backend, const HmmSample& sample, double rate) {
    Tape tape(backend, {.recording = true});
    const Variable losses =
        crf.loss(scores.forward(tape.input(sample.symbols)), sample.states, sample.packing);
    Tensor weights(losses.shape());
    weights.fill(1.0 / static_cast<double>(sample.states.size()));
    for (Parameter& parameter : set.all()) {  // momentum: what is left of the gradients before
      if (parameter.gradient) backend.scale(parameter.gradient.matrix(), 0.9);
    }
    tape.backward(weighted_sum(losses, weights));
    for (Parameter& parameter : set.all()) {
      const Tensor step = parameter.gradient.clone();
      backend.scale(step.matrix(), -rate);
      backend.copy(step.matrix(), parameter.value.matrix(), true);
    }
  }
  /// Share of states that are the likeliest of their marginals.
  double accuracy(Backend& backend, const HmmSample& sample) const {
    Tape tape(backend);
    const Tensor p = crf.marginals(scores.forward(tape.input(sample.symbols)), sample.packing);
    int64_t right = 0;
    for (size_t r = 0; r < sample.states.size(); ++r) {
      const float* row = p.data<float>() + r * 3;
      right += std::max_element(row, row + 3) - row == sample.states[r];
    }
    return static_cast<double>(right) / static_cast<double>(sample.states.size());
  }
};

TEST(Crf, TrainedOnAHiddenMarkovModelReachesBayesAccuracySlow) {
  const Hmm hmm;
  const HmmSample train(hmm, 2000, 1), test(hmm, 2000, 2);
  const auto backend = open_device("cpu", 1);
  HmmTagger trained, bayes;
  bayes.become(hmm);
  const double best = bayes.accuracy(*backend, test);
  EXPECT_LT(trained.accuracy(*backend, test), best - 0.2);
  for (int step = 0; step < 120; ++step) trained.learn(*backend, train, 0.5);
  // 30,000 states: the standard deviation of an accuracy is 0.0025; the two are of the same sample.
  EXPECT_GT(trained.accuracy(*backend, test), best - 0.004);
  EXPECT_LT(trained.accuracy(*backend, test), best + 0.004);
}

TEST(Crf, RefusesShapesTargetsAndCounts) {
  ParameterSet set;
  EXPECT_THROW(Crf(set, {.labels = 0}), ConfigError);
  EXPECT_THROW(Crf(set, {.labels = Crf::kMaxLabels + 1}), ConfigError);
  EXPECT_THROW(Crf(set, {.labels = 4}, CrfConstraints(TagScheme::kBio, kBio)), ConfigError);
  Layer layer(5, CrfConstraints(TagScheme::kBio, kBio));
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Packing packing = packing_of({2, 3});
  const Variable scores = tape.input(Tensor::zeros({5, 5}));
  EXPECT_THROW(layer.crf.loss(tape.input(Tensor::zeros({5, 4})), {0, 0, 0, 0, 0}, packing), ShapeError);
  EXPECT_THROW(layer.crf.loss(tape.input(Tensor::zeros({4, 5})), {0, 0, 0, 0}, packing), ShapeError);
  EXPECT_THROW(layer.crf.loss(scores, {0, 0, 0, 0}, packing), ShapeError);
  EXPECT_THROW(layer.crf.loss(scores, {0, 0, 5, 0, 0}, packing), DataError);
  EXPECT_THROW(layer.crf.loss(scores, {0, 0, -1, 0, 0}, packing), DataError);
  EXPECT_THROW(layer.crf.decode(tape.input(Tensor::zeros({5, 4})), packing), ShapeError);
  EXPECT_THROW(layer.crf.marginals(tape.input(Tensor::zeros({6, 5})), packing), ShapeError);
  for (const int64_t count : {0, -1, 1001}) {
    EXPECT_THROW(layer.crf.n_best(scores, packing, count), ConfigError);
  }
  try {
    layer.crf.loss(scores, {0, 1, 0, 4, 0}, packing);  // the caller's sequence 0 is B-PER I-LOC
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("sequence 0 break the scheme of tags at step 1 of 2"));
  }
}

}  // namespace
}  // namespace rondo
