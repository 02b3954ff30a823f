// The strings of the Grid LSTM's paper are what it says, and a grid learns one of them where a stack does
// not.
#include <gtest/gtest.h>

#include <cmath>

#include "diagnostics/diagnostics.h"
#include "diagnostics/mnist_grid.h"
#include "rondo/errors.h"
#include "tensor/device.h"

namespace rondo::diagnostics {
namespace {

/// The one symbol that is shown at a step of a sequence.
int64_t shown(const Batch& batch, int64_t step, int64_t sequence) {
  const int64_t inputs = batch.x.dim(1);
  const float* row = batch.x.data<float>() + (step * batch.sequences + sequence) * inputs;
  int64_t symbol = -1;
  for (int64_t i = 0; i < inputs; ++i) {
    if (row[i] == 0) continue;
    EXPECT_EQ(row[i], 1);
    EXPECT_EQ(symbol, -1) << "one of them";
    symbol = i;
  }
  return symbol;
}

/// What is asked for, by step, of one sequence; -1: nothing.
std::vector<int64_t> asked(const Batch& batch, int64_t sequence) {
  std::vector<int64_t> answers(static_cast<size_t>(batch.x.dim(0) / batch.sequences), -1);
  for (size_t i = 0; i < batch.answers.size(); ++i) {
    if (batch.answers[i] % batch.sequences != sequence) continue;
    answers[static_cast<size_t>(batch.answers[i] / batch.sequences)] = batch.classes[i];
  }
  return answers;
}

TEST(Memorisation, AsksForTheSymbolsInTheirOrder) {
  const auto problem = make_memorisation(6, 8);
  EXPECT_NEAR(problem->memoryless_loss(), 2.079, 1e-3);
  const Batch batch = problem->training(1, 1, 5);
  ASSERT_EQ(batch.x.shape(), (Shape{13 * 5, 9}));
  for (int64_t n = 0; n < 5; ++n) {
    const std::vector<int64_t> answers = asked(batch, n);
    for (int64_t t = 0; t < 13; ++t) {
      EXPECT_EQ(answers[static_cast<size_t>(t)], t < 7 ? -1 : shown(batch, t - 7, n));
      if (t < 6) continue;
      EXPECT_EQ(shown(batch, t, n), 8);  // the blank
    }
  }
}

TEST(Addition, WantsTheDigitsOfTheSum) {
  const auto problem = make_addition(4);
  const Batch batch = problem->training(3, 2, 50);
  ASSERT_EQ(batch.x.shape(), (Shape{16 * 50, 11}));
  bool carried = false;
  for (int64_t n = 0; n < 50; ++n) {
    int64_t a = 0, b = 0, sum = 0;
    for (int64_t i = 0; i < 4; ++i) {
      a = 10 * a + shown(batch, 1 + i, n);
      b = 10 * b + shown(batch, 6 + i, n);
    }
    const std::vector<int64_t> answers = asked(batch, n);
    for (int64_t t = 0; t < 16; ++t) {
      const int64_t digit = answers[static_cast<size_t>(t)];
      EXPECT_EQ(digit >= 0, t >= 11) << t;
      if (digit >= 0) sum = 10 * sum + digit;
      if (t != 0 && t != 5 && t < 10) continue;
      EXPECT_EQ(shown(batch, t, n), 10);  // the bar
    }
    EXPECT_EQ(sum, a + b);
    EXPECT_GE(a, 1000);
    carried = carried || sum >= 10000;
  }
  EXPECT_TRUE(carried);
}

TEST(Parity, IsOneWhereTheOnesAreOdd) {
  const Batch batch = make_parity(9)->training(1, 1, 200);
  ASSERT_EQ(batch.x.shape(), (Shape{200, 9}));
  ASSERT_EQ(batch.classes.size(), 200U);
  int64_t odd = 0;
  for (int64_t n = 0; n < 200; ++n) {
    double ones = 0;
    for (int64_t i = 0; i < 9; ++i) ones += batch.x.at(n * 9 + i);
    EXPECT_EQ(batch.classes[static_cast<size_t>(n)], static_cast<int64_t>(ones) % 2);
    odd += batch.classes[static_cast<size_t>(n)];
  }
  EXPECT_GT(odd, 60);
  EXPECT_LT(odd, 140);
}

TEST(GridRun, StopsAtTheFirstPointThatIsRightOftenEnough) {
  // Two bits through two layers are learnt in no time.
  const auto curve = run(*make_parity(2),
                         {.cell = Cell::kGrid,
                          .hidden = 16,
                          .layers = 2,
                          .grid = {.tied_layers = true, .along_time = Along::kNone},
                          .updates = 4000,
                          .batch = 20,
                          .lr = 1e-2,
                          .evaluate_every = 50,
                          .until = 1},
                         *open_device("cpu", 1), [](const Point&) {});
  EXPECT_LT(curve.back().update, 4000);
  EXPECT_EQ(curve.back().accuracy, 1);
  for (size_t i = 0; i + 1 < curve.size(); ++i) EXPECT_LT(curve[i].accuracy, 1);
}

TEST(MnistGrid, RefusesPatchesThatDoNotFillAPicture) {
  const auto backend = open_device("cpu", 1);
  EXPECT_THROW(run_mnist_grid({.data = "none", .patch = 5}, *backend, [](const MnistGridPoint&) {}),
               ConfigError);
  EXPECT_THROW(run_mnist_grid({.data = "none"}, *backend, [](const MnistGridPoint&) {}), IoError);
}

Options memorising(RecurrentOptions recurrent) {
  return {.cell = recurrent.cell,
          .hidden = 32,
          .layers = 12,
          .grid = recurrent.grid,
          .updates = 10000,  // 150,000 samples
          .batch = 15,
          .lr = 1e-3,
          .evaluate_every = 500,
          .until = 0.99};
}

TEST(Memorisation, TwelveTiedLayersOfAGridLearnWhatTwelveLayersOfAStackDoNotSlow) {
  const auto problem = make_memorisation(6, 8);
  const auto backend = open_device("cpu");
  const auto nothing = [](const Point&) {};
  const auto grid =
      run(*problem, memorising({.cell = Cell::kGrid, .grid = {.tied_layers = true}}), *backend, nothing);
  EXPECT_GE(grid.back().accuracy, 0.99);
  EXPECT_LE(grid.back().update, 10000);
  for (const Point& point : run(*problem, memorising({.cell = Cell::kLstm}), *backend, nothing)) {
    EXPECT_LT(point.accuracy, 0.6) << point.update;
  }
}

}  // namespace
}  // namespace rondo::diagnostics
