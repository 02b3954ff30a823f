#include "tensor/tensor.h"

#include <gmock/gmock.h>

#include <thread>

#include "rondo/errors.h"
#include "tensor/memory_pool.h"
#include "tensor/parameter.h"

namespace rondo {
namespace {

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor a = Tensor::zeros({2, 3});
  Tensor shared = a, cloned = a.clone();
  a.data<float>()[4] = 7;
  EXPECT_EQ(shared.at(4), 7);
  EXPECT_EQ(cloned.at(4), 0);
}

TEST(Tensor, MatrixFoldsLeadingDimensions) {
  const Tensor a({2, 3, 4});
  EXPECT_EQ(a.matrix().rows, 6);
  EXPECT_EQ(a.matrix().columns, 4);
  const Tensor b({5});
  EXPECT_EQ(b.matrix().rows, 1);
  EXPECT_FALSE(Tensor().matrix());
}

TEST(Tensor, ConvertsBetweenFloatingTypesAndBack) {
  const float values[] = {1.5F, -2.25F, 0.1F};
  const Tensor a = Tensor::from(values);
  const Tensor back = a.to(DType::kComplex128).to(DType::kFloat64).to(DType::kFloat32);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(back.at(i), a.at(i));
  EXPECT_THROW(Tensor({2}, DType::kInt32).to(DType::kFloat32), ShapeError);
}

TEST(Tensor, RefusesImpossibleShapes) {
  EXPECT_THROW(Tensor({-1, 2}), ShapeError);
  EXPECT_THROW(Tensor({int64_t{1} << 40, int64_t{1} << 40}), ShapeError);
  EXPECT_THROW(Tensor({4}).reshape({5}), ShapeError);
  EXPECT_THROW(Tensor({4}).at(4), ShapeError);
}

TEST(MemoryPool, GivesTheSameBlockBackWithoutAskingTheSystem) {
  MemoryPool::instance().trim();
  void* first = Tensor({1000}).raw();
  EXPECT_GT(MemoryPool::instance().idle_bytes(), 0);
  const Tensor second({1010});  // the same size class
  EXPECT_EQ(second.raw(), first);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(second.raw()) % 64, 0U);
}

TEST(MemoryPool, ServesSeveralThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 200; ++round) {
        const Tensor t = Tensor::zeros({64 + i * 16 + round % 7});
        t.fill(i);
        ASSERT_EQ(t.at(t.size() - 1), i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(ParameterSet, FindsByNameAndRefusesTwins) {
  ParameterSet set;
  Parameter& w = set.add("linear.weight", Tensor::zeros({4, 2}));
  set.add("linear.bias", Tensor::zeros({4}));
  EXPECT_EQ(&set.find("linear.weight"), &w);
  EXPECT_EQ(set.num_values(), 12);
  EXPECT_THROW(set.add("linear.bias", Tensor::zeros({4})), ConfigError);
  EXPECT_THROW(set.find("lstm.weight"), ConfigError);
}

}  // namespace
}  // namespace rondo
