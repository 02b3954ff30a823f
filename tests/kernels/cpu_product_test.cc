#include "kernels/cpu_targets.h"

namespace rondo {
namespace {

/// Above the size at which threads share the work, and more than one block of k: each transpose, each start.
std::vector<ProductCase> large_products() {
  return {{.m = 130, .n = 140, .k = 300, .transpose_b = true, .bias = true},
          {.m = 130, .n = 140, .k = 300, .transpose_a = true, .accumulate = true, .padding = 1},
          {.m = 131, .n = 50, .k = 700, .padding = 2},
          {.m = 1, .n = 600, .k = 1030, .bias = true},
          {.m = 3, .n = 96, .k = 520, .transpose_b = true}};
}

std::vector<ProductCase> all_products() {
  std::vector<ProductCase> cases = product_cases();
  for (const ProductCase& c : wide_product_cases()) cases.push_back(c);
  for (const ProductCase& c : large_products()) cases.push_back(c);
  return cases;
}

TEST(CpuProduct, IsTheReferencesChainOfMultiplyAddsBitForBit) {
  ReferenceBackend reference;
  for (const ProductCase& shape : all_products()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    ProductOperands<float> expected(shape, 1);
    reference.product(expected.product());
    for_each_target(1, [&](Backend& backend) {
      ProductOperands<float> got(shape, 1);
      backend.product(got.product());
      // Padding too: the arrays are compared with what stands between their rows.
      if (has_fma(cpu_target())) {
        EXPECT_TRUE(same_bits(got.c, expected.c));
      } else {
        EXPECT_LE(difference(got.c, expected.c), 1e-5);  // two roundings a term
      }
      EXPECT_TRUE(got.c.padding_untouched());
    });
  }
}

TEST(CpuProduct, ThreadsChangeNoBit) {
  for (const ProductCase& shape : large_products()) {
    SCOPED_TRACE(testing::PrintToString(shape));
    for_each_target(1, [&](Backend& one) {
      ProductOperands<float> expected(shape, 2);
      one.product(expected.product());
      for (int threads : {2, 4}) {
        static const auto two = make_cpu_backend(2), four = make_cpu_backend(4);
        ProductOperands<float> got(shape, 2);
        (threads == 2 ? two : four)->product(got.product());
        EXPECT_TRUE(same_bits(got.c, expected.c)) << threads;
      }
    });
  }
}

TEST(CpuProduct, ARowAloneHasTheBitsThatItHasInABatch) {
  for (bool transpose_b : {false, true}) {
    for_each_target(1, [&](Backend& backend) {
      ProductOperands<float> batch({.m = 45, .n = 75, .k = 600, .transpose_b = transpose_b, .bias = true}, 3);
      backend.product(batch.product());
      for (int64_t rows : {1, 2, 3, 4, 5, 6, 7, 9, 12, 13, 44}) {
        Product part = batch.product();
        Array<float> c(rows, 75);
        part.a = part.a.rows_at(45 - rows, rows);
        part.c = c;
        backend.product(part);
        EXPECT_EQ(std::memcmp(c.values.data(), &batch.c(45 - rows, 0), rows * 75 * 4), 0) << rows;
      }
    });
  }
}

TEST(CpuProduct, OtherTypesGoToTheReference) {
  const auto cpu = make_cpu_backend(1);
  ReferenceBackend reference;
  ProductOperands<double> got({.m = 3, .n = 4, .k = 5}, 4), expected({.m = 3, .n = 4, .k = 5}, 4);
  cpu->product(got.product());
  reference.product(expected.product());
  EXPECT_EQ(got.c.values, expected.c.values);
}

TEST(CpuProduct, OperandsThatDisagreeAreRefused) {
  const auto cpu = make_cpu_backend(1);
  Array<float> a(2, 3), b(4, 5), c(2, 5);
  EXPECT_THROW(cpu->product({.a = a, .b = b, .c = c, .bias = {}}), ShapeError);
  Array<double> wide(3, 5);
  EXPECT_THROW(cpu->product({.a = a, .b = wide, .c = c, .bias = {}}), ShapeError);
}

TEST(CpuTargets, AnUnknownTargetIsRefused) {
  EXPECT_THROW(force_cpu_target("MMX"), ConfigError);
  EXPECT_EQ(cpu_target(), cpu_targets().front());
}

}  // namespace
}  // namespace rondo
