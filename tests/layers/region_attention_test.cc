#include "layers/region_attention.h"

#include <cmath>
#include <cstring>

#include "exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

constexpr int64_t kRegions = 6, kPictures = 2, kColumns = 5;
const std::vector<int32_t> kPicturesOfQueries = {1, 0, 1};

struct Looked {
  Tensor contexts, weights;
};

Looked look(const Tensor& regions) {
  static const auto backend = open_device("cpu", 1);
  ParameterSet set;
  RegionAttention attention(set, {.query = 4, .region = kColumns, .size = 7});
  randomize(set, 2);
  Tape tape(*backend);
  const AttentionKeys keys = attention.keys(tape.input(regions), kPictures);
  const AttentionResult seen =
      attention.forward(tape.input(random_values({3, 4}, 3)), keys, kPicturesOfQueries);
  return {seen.contexts.value(), seen.weights.value()};
}

TEST(RegionAttention, WeightsSumToOneAndWeighTheContext) {
  const Tensor regions = random_values({kRegions * kPictures, kColumns}, 1);
  const Looked looked = look(regions);
  ASSERT_EQ(looked.weights.shape(), (Shape{3, kRegions}));
  ASSERT_EQ(looked.contexts.shape(), (Shape{3, kColumns}));
  for (int64_t q = 0; q < 3; ++q) {
    double sum = 0;
    for (int64_t i = 0; i < kRegions; ++i) sum += looked.weights.at(q * kRegions + i);
    EXPECT_NEAR(sum, 1, 1e-6);
    for (int64_t c = 0; c < kColumns; ++c) {
      double context = 0;
      for (int64_t i = 0; i < kRegions; ++i) {
        const int64_t row = i * kPictures + kPicturesOfQueries[static_cast<size_t>(q)];
        context += looked.weights.at(q * kRegions + i) * regions.at(row * kColumns + c);
      }
      EXPECT_NEAR(looked.contexts.at(q * kColumns + c), context, 1e-5);
    }
  }
}

TEST(RegionAttention, PermutedRegionsPermuteTheWeightsAndLeaveTheContext) {
  const Tensor regions = random_values({kRegions * kPictures, kColumns}, 1);
  const std::vector<int64_t> order = {3, 0, 5, 1, 4, 2};
  const Tensor permuted(regions.shape());
  for (int64_t i = 0; i < kRegions; ++i) {
    std::memcpy(permuted.data<float>() + i * kPictures * kColumns,
                regions.data<float>() + order[static_cast<size_t>(i)] * kPictures * kColumns,
                kPictures * kColumns * sizeof(float));
  }
  const Looked before = look(regions), after = look(permuted);
  for (int64_t q = 0; q < 3; ++q) {
    for (int64_t i = 0; i < kRegions; ++i) {
      EXPECT_NEAR(after.weights.at(q * kRegions + i),
                  before.weights.at(q * kRegions + order[static_cast<size_t>(i)]), 1e-6);
    }
  }
  for (int64_t i = 0; i < before.contexts.size(); ++i) {
    EXPECT_NEAR(after.contexts.at(i), before.contexts.at(i), 1e-6);
  }
}

TEST(RegionAttention, EqualRegionsAreSeenAsTheyAre) {
  const Tensor regions({kRegions * kPictures, kColumns});
  for (int64_t i = 0; i < regions.size(); ++i) regions.data<float>()[i] = static_cast<float>(i % kColumns);
  const Looked looked = look(regions);
  for (int64_t i = 0; i < looked.contexts.size(); ++i) {
    EXPECT_NEAR(looked.contexts.at(i), static_cast<double>(i % kColumns), 1e-5);
  }
  for (int64_t i = 0; i < looked.weights.size(); ++i) EXPECT_NEAR(looked.weights.at(i), 1.0 / kRegions, 1e-6);
}

TEST(RegionAttention, WhatIsAskedOfTheWeightsReachesEveryParameter) {
  ParameterSet set;
  const RegionAttention attention(set,
                                  {.query = 4, .region = kColumns, .size = 3, .type = DType::kComplex128});
  Parameter& regions =
      set.add("regions", Tensor::zeros({kRegions * kPictures, kColumns}, DType::kComplex128));
  Parameter& queries = set.add("queries", Tensor::zeros({3, 4}, DType::kComplex128));
  randomize(set, 7);
  const Tensor of_weights = random_values({3 * kRegions}, 4, DType::kComplex128);
  const Tensor of_contexts = random_values({3 * kColumns}, 5, DType::kComplex128);
  expect_exact_gradients(set, [&](Tape& tape) {
    const AttentionKeys keys = attention.keys(tape.parameter(regions), kPictures);
    const AttentionResult seen = attention.forward(tape.parameter(queries), keys, kPicturesOfQueries);
    return add(weighted_sum(seen.weights, of_weights), weighted_sum(seen.contexts, of_contexts));
  });
}

TEST(RegionAttention, RegionsThatDoNotDivideAmongThePicturesAreAnError) {
  const auto backend = open_device("cpu", 1);
  ParameterSet set;
  const RegionAttention attention(set, {.query = 4, .region = kColumns, .size = 3});
  Tape tape(*backend);
  EXPECT_THROW(attention.keys(tape.input(random_values({7, kColumns}, 1)), 2), ShapeError);
}

}  // namespace
}  // namespace rondo
