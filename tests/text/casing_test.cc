#include "text/casing.h"

#include <gtest/gtest.h>

#include "rondo/errors.h"

namespace rondo {
namespace {

TEST(Casing, TellsHowAWordIsWritten) {
  EXPECT_EQ(casing_of("word"), Casing::kLower);
  EXPECT_EQ(casing_of("NATO"), Casing::kUpper);
  EXPECT_EQ(casing_of("London"), Casing::kInitial);
  EXPECT_EQ(casing_of("A"), Casing::kInitial);
  EXPECT_EQ(casing_of("\xC3\x85ngstr\xC3\xB6m"), Casing::kInitial);  // with a ring
  EXPECT_EQ(casing_of("iPhone"), Casing::kMixed);
  EXPECT_EQ(casing_of("1,815"), Casing::kNumeric);
  EXPECT_EQ(casing_of("B2"), Casing::kInitial);
  EXPECT_EQ(casing_of("?!"), Casing::kOther);
  EXPECT_EQ(casing_of(""), Casing::kOther);
  EXPECT_THROW(casing_of("\xFF"), DataError);
}

}  // namespace
}  // namespace rondo
