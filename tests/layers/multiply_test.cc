#include "tensor/multiply.h"

#include <gmock/gmock.h>

#include "exact_gradients.h"
#include "rondo/errors.h"
#include "tensor/operations.h"

namespace rondo {
namespace {

TEST(Multiply, GradientsReachBothFactors) {
  ParameterSet set;
  Parameter& a = set.add("a", Tensor::zeros({3, 2}, DType::kComplex128));
  Parameter& b = set.add("b", Tensor::zeros({3, 2}, DType::kComplex128));
  Parameter& rows = set.add("rows", Tensor::zeros({3, 1}, DType::kComplex128));
  randomize(set, 3);
  const Tensor weights = random_values({6}, 9, DType::kComplex128);
  expect_exact_gradients(set, [&](Tape& tape) {
    const Variable y = multiply(tape.parameter(a), tape.parameter(b));
    return weighted_sum(multiply_rows(y, tape.parameter(rows)), weights);
  });
}

TEST(Multiply, RowsAreScaledByTheirOwnFactors) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const std::vector<float> numbers = {1, 2, 3, 4}, factors = {10, -1};
  const Tensor y = multiply_rows(tape.input(Tensor::from(numbers).reshape({2, 2})),
                                 tape.input(Tensor::from(factors).reshape({2, 1})))
                       .value();
  EXPECT_THAT(y.values<float>(), testing::ElementsAre(10, 20, -3, -4));
}

TEST(Multiply, ShapesThatDoNotFitAreErrors) {
  const auto backend = open_device("cpu", 1);
  Tape tape(*backend);
  const Variable x = tape.input(random_values({2, 3}, 1)), y = tape.input(random_values({3, 2}, 1));
  EXPECT_THROW(multiply(x, y), ShapeError);
  EXPECT_THROW(multiply_rows(x, y), ShapeError);
}

}  // namespace
}  // namespace rondo
