// The sequences of the diagnostics are what their papers say.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "diagnostics/diagnostics.h"
#include "rondo/errors.h"
#include "storage/test_files.h"
#include "tensor/device.h"

namespace rondo::diagnostics {
namespace {

TEST(Adding, MarksOneNumberInEachHalfAndWantsTheirSum) {
  const auto problem = make_adding(11);
  const Batch batch = problem->training(1, 1, 40);
  ASSERT_EQ(batch.x.shape(), (Shape{11 * 40, 2}));
  for (int64_t n = 0; n < 40; ++n) {
    double sum = 0;
    int first = 0, second = 0;
    for (int64_t t = 0; t < 11; ++t) {
      const float* element = batch.x.data<float>() + (t * 40 + n) * 2;
      EXPECT_TRUE(element[0] >= 0 && element[0] < 1);
      if (element[1] == 0) continue;
      sum += element[0];
      ++(t < 5 ? first : second);
    }
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 1);
    EXPECT_FLOAT_EQ(batch.values.data<float>()[n], static_cast<float>(sum));
  }
}

TEST(Adding, AlwaysOneHasTheMemorylessLoss) {
  const auto problem = make_adding(20);
  double squares = 0, count = 0;
  for (const Batch& batch : problem->test()) {
    for (const float value : batch.values.values<float>()) squares += (value - 1) * (value - 1), ++count;
  }
  EXPECT_EQ(count, 2000);
  EXPECT_NEAR(squares / count, problem->memoryless_loss(), 0.015);
}

TEST(Copy, AsksForTheSymbolsAfterTheBlanks) {
  const auto problem = make_copy(5);
  const Batch batch = problem->training(1, 1, 3);
  ASSERT_EQ(batch.x.shape(), (Shape{25 * 3, 10}));
  ASSERT_EQ(batch.classes.size(), 75U);
  const auto input = [&](int64_t t, int64_t n) {
    const float* row = batch.x.data<float>() + (t * 3 + n) * 10;
    int64_t symbol = -1;
    for (int64_t i = 0; i < 10; ++i) {
      if (row[i] == 0) continue;
      EXPECT_EQ(symbol, -1) << "one of ten";
      symbol = i;
    }
    return symbol;
  };
  for (int64_t n = 0; n < 3; ++n) {
    for (int64_t t = 0; t < 25; ++t) {
      const int32_t target = batch.classes[static_cast<size_t>(t * 3 + n)];
      EXPECT_EQ(target, t < 15 ? 0 : input(t - 15, n));
      if (t < 10) {
        EXPECT_TRUE(input(t, n) >= 1 && input(t, n) <= 8);
      } else {
        EXPECT_EQ(input(t, n), t == 14 ? 9 : 0);
      }
    }
  }
  EXPECT_NEAR(make_copy(30)->memoryless_loss(), 0.416, 5e-4);
}

TEST(Problems, GiveOtherSequencesToEveryUpdateSeedAndTest) {
  for (const auto& problem : {make_adding(10), make_copy(10)}) {
    const auto sum_of = [](const Batch& batch) {
      double sum = 0;
      for (int64_t i = 0; i < batch.x.size(); ++i) sum += batch.x.at(i) * static_cast<double>(1 + i % 977);
      return sum;
    };
    const double sum = sum_of(problem->training(1, 1, 100));
    EXPECT_EQ(sum, sum_of(problem->training(1, 1, 100)));
    EXPECT_NE(sum, sum_of(problem->training(1, 2, 100)));
    EXPECT_NE(sum, sum_of(problem->training(2, 1, 100)));
    EXPECT_NE(sum, sum_of(problem->test().front()));
  }
}

TEST(Run, GivesTheSameCurveOnAnyNumberOfThreads) {
  const auto problem = make_adding(8);
  std::vector<double> losses;
  for (const int threads : {1, 3}) {
    const auto curve = run(*problem, {.hidden = 8, .updates = 25, .evaluate_every = 10},
                           *open_device("cpu", threads), [](const Point&) {});
    ASSERT_EQ(curve.size(), 3U);
    EXPECT_EQ(curve.back().update, 25);
    losses.push_back(curve.back().loss);
  }
  EXPECT_EQ(losses[0], losses[1]);
}

TEST(Mnist, FileThatIsCutOrOfAnotherKindIsAnError) {
  const TestFolder folder;
  const std::string images = folder.file("train-images-idx3-ubyte.gz");
  EXPECT_THROW(make_mnist(folder.file("")), IoError);
  const std::string header("\0\0\x08\x03\0\0\0\x02\0\0\0\x1c\0\0\0\x1c", 16);
  const std::string pictures(2 * 784, 'x');
  for (const std::string& bytes : {std::string(), header.substr(0, 7), header, header + pictures.substr(1),
                                   header + pictures + "x", "\1" + header.substr(1) + pictures}) {
    put_bytes(images, bytes);
    EXPECT_THROW(make_mnist(folder.file("")), DataError) << bytes.size();
  }
}

}  // namespace
}  // namespace rondo::diagnostics
