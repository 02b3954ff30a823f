#include "tensor/packing.h"

#include <gmock/gmock.h>

namespace rondo {
namespace {

using testing::ElementsAre;

TEST(Packing, PacksTheLessonsExample) {
  // [[1..5],[6,7,8],[9]]: rows 1 6 9 | 2 7 | 3 8 | 4 | 5.
  const Packing packing(std::vector<int64_t>{5, 3, 1});
  EXPECT_EQ(packing.num_rows(), 9);
  EXPECT_EQ(packing.rows().steps(), 5);
  std::vector<int64_t> counts;
  for (int64_t t = 0; t < 5; ++t) counts.push_back(packing.rows().count(t));
  EXPECT_THAT(counts, ElementsAre(3, 2, 2, 1, 1));
}

TEST(Packing, SortsByFallingLengthAndKeepsTheCallersOrderOfTies) {
  const Packing packing(std::vector<int64_t>{1, 3, 0, 3});
  EXPECT_THAT(packing.order(), ElementsAre(1, 3, 0, 2));
  EXPECT_EQ(packing.length(0), 3);
  EXPECT_EQ(packing.length(3), 0);
  EXPECT_EQ(packing.sequences(), 4);
}

TEST(Packing, HoldsEmptySequencesAndEmptyBatches) {
  const Packing empties(std::vector<int64_t>{0, 0});
  EXPECT_EQ(empties.num_rows(), 0);
  EXPECT_EQ(empties.rows().steps(), 0);
  EXPECT_EQ(empties.sequences(), 2);
  const Packing none(std::vector<int64_t>{});
  EXPECT_EQ(none.sequences(), 0);
  EXPECT_EQ(none.rows().rows(), 0);
}

}  // namespace
}  // namespace rondo
