#include "training/duration.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/errors.h"

namespace rondo {
namespace {

TEST(Duration, ReadsEpochsAndUpdates) {
  EXPECT_EQ(Duration::parse("10e"), (Duration{10, Duration::Unit::kEpochs}));
  EXPECT_EQ(Duration::parse("5000u"), (Duration{5000, Duration::Unit::kUpdates}));
  EXPECT_EQ(Duration::parse("3"), (Duration{3, Duration::Unit::kEpochs}));
}

TEST(Duration, TextIsWhatParseReads) {
  for (const char* text : {"1e", "5000u", "9223372036854775807u"}) {
    EXPECT_EQ(Duration::parse(text).text(), text);
  }
}

TEST(Duration, CountsInUpdates) {
  EXPECT_EQ(Duration::parse("10e").updates(7500), 75000);
  EXPECT_EQ(Duration::parse("10u").updates(7500), 10);
  EXPECT_EQ(Duration::parse("9223372036854775807e").updates(2), std::numeric_limits<int64_t>::max());
}

TEST(Duration, AnythingElseIsAnErrorThatNamesTheOption) {
  for (const char* text :
       {"", "e", "0e", "-1u", "1.5e", "10 e", "10x", "10ee", "99999999999999999999u", " 1e"}) {
    EXPECT_THROW(Duration::parse(text), ConfigError) << text;
  }
  try {
    Duration::parse("ten", "evaluate-every");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("--evaluate-every"), std::string::npos);
  }
}

}  // namespace
}  // namespace rondo
