#include "base/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace rondo {

enum class TestCell { kRnn, kLstm, kGru };
template <>
inline constexpr auto kNames<TestCell> = std::array{
    std::pair{TestCell::kRnn, "rnn"}, std::pair{TestCell::kLstm, "lstm"}, std::pair{TestCell::kGru, "gru"}};

namespace {

using nlohmann::json;
using testing::ElementsAre;

struct Settings {
  int hidden = 128;
  int8_t small = 1;
  int64_t steps = -1;
  uint64_t seed = 1;
  double dropout = 0.5;
  float rate = 0.1F;
  bool shuffle = true;
  TestCell cell = TestCell::kLstm;
  std::string name = "news";
  std::vector<std::string> columns = {"text"};

  template <class Visitor>
  void visit(Visitor& v) {
    v("hidden", hidden, "units a direction", Range{1, 65536});
    v("small", small, "a narrow number");
    v("steps", steps, "steps", Range{.low = -1});
    v("seed", seed, "seed");
    v("dropout", dropout, "share dropped", Range{0, 1});
    v("rate", rate, "learning rate", Range{.high = 10});
    v("shuffle", shuffle, "in random order");
    v("cell", cell, "kind of cell");
    v("name", name, "name");
    v("columns", columns, "columns");
  }
};

class OptionsTest : public testing::Test {
 protected:
  // The message of the ConfigError, or "" if none was thrown.
  template <class Body>
  static std::string message(Body body) {
    try {
      body();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  std::string set(const char* name, const json& value) {
    return message([&] { list_.find(name).set(value); });
  }
  std::string set_text(const char* name, const std::string& text) {
    return message([&] { list_.find(name).set_text(text); });
  }

  Settings settings_;
  OptionList list_{settings_};
};

TEST(Nearest, FindsTypingErrors) {
  const std::vector<std::string> names = {"hidden", "layers", "learning_rate", "cell"};
  EXPECT_EQ(nearest("hiden", names), "hidden");
  EXPECT_EQ(nearest("hiddne", names), "hidden");  // a swap is one error
  EXPECT_EQ(nearest("LAYERS", names), "layers");
  EXPECT_EQ(nearest("lerning_rat", names), "learning_rate");
  EXPECT_EQ(nearest("cel", names), "cell");
}

TEST(Nearest, SaysNothingWhereNothingIsNear) {
  EXPECT_EQ(nearest("banana", {"hidden", "cell"}), "");
  EXPECT_EQ(nearest("x", {"y"}), "");
  EXPECT_EQ(nearest("", {"a", "ab"}), "");
  EXPECT_EQ(nearest("abc", {}), "");
  EXPECT_EQ(nearest(std::string(1000000, 'a'), {"hidden"}), "");
}

TEST(Nearest, TheFirstOfEquallyNearWins) { EXPECT_EQ(nearest("cat", {"car", "bat"}), "car"); }

TEST_F(OptionsTest, ValuesOfTheRightKindAreSet) {
  list_.find("hidden").set(3.0);
  list_.find("dropout").set(1);
  list_.find("shuffle").set(false);
  list_.find("cell").set("gru");
  list_.find("name").set("");
  list_.find("columns").set({"a", "b"});
  EXPECT_EQ(settings_.hidden, 3);
  EXPECT_EQ(settings_.dropout, 1.0);
  EXPECT_FALSE(settings_.shuffle);
  EXPECT_EQ(settings_.cell, TestCell::kGru);
  EXPECT_EQ(settings_.name, "");
  EXPECT_THAT(settings_.columns, ElementsAre("a", "b"));
}

TEST_F(OptionsTest, MessagesNameTheOptionWhatItAcceptsAndWhatWasGiven) {
  EXPECT_EQ(set("hidden", 0), "--hidden: expected 1 to 65536, got 0");
  EXPECT_EQ(set("hidden", 3.5), "--hidden: expected an integer, 1 to 65536, got 3.5");
  EXPECT_EQ(set("hidden", "many"), "--hidden: expected an integer, 1 to 65536, got \"many\"");
  EXPECT_EQ(set("cell", "lstn"), "--cell: expected rnn|lstm|gru, got \"lstn\"; did you mean lstm?");
  EXPECT_EQ(set("cell", "perceptron"), "--cell: expected rnn|lstm|gru, got \"perceptron\"");
  EXPECT_EQ(set("cell", 1), "--cell: expected rnn|lstm|gru, got 1");
  EXPECT_EQ(set("shuffle", 1), "--shuffle: expected true|false, got 1");
  EXPECT_EQ(set("name", nullptr), "--name: expected text, got null");
  EXPECT_EQ(set("columns", {1, 2}), "--columns: expected a list of texts, got [1,2]");
  EXPECT_EQ(set("dropout", true), "--dropout: expected a number, 0 to 1, got true");
  EXPECT_EQ(set("steps", -2), "--steps: expected at least -1, got -2");
  EXPECT_EQ(settings_.hidden, 128);
  EXPECT_EQ(settings_.steps, -1);
}

TEST_F(OptionsTest, NumbersThatTheFieldCannotHoldAreRefused) {
  EXPECT_EQ(set("small", 128), "--small: expected an integer, got 128 (too large to hold)");
  EXPECT_EQ(set("small", -128), "");
  EXPECT_EQ(settings_.small, -128);
  EXPECT_NE(set("steps", uint64_t{1} << 63), "");
  EXPECT_EQ(set("steps", std::numeric_limits<int64_t>::max()), "");
  EXPECT_EQ(settings_.steps, std::numeric_limits<int64_t>::max());
  EXPECT_NE(set("seed", -1), "");
  EXPECT_EQ(set("seed", std::numeric_limits<uint64_t>::max()), "");
  EXPECT_EQ(settings_.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_NE(set("seed", 0x1p64), "");
  EXPECT_NE(set("steps", 1e300), "");
  EXPECT_NE(set("rate", -1e300), "");
}

TEST_F(OptionsTest, NotANumberIsRefused) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const char* name : {"hidden", "steps", "dropout", "rate"}) {
    EXPECT_NE(set(name, nan), "") << name;
    EXPECT_NE(set(name, -infinity), "") << name;
    EXPECT_NE(set_text(name, "nan"), "") << name;
    EXPECT_NE(set_text(name, "-inf"), "") << name;
  }
}

TEST_F(OptionsTest, TypedTextIsUnderstood) {
  EXPECT_EQ(set_text("hidden", "256") + set_text("dropout", ".25") + set_text("rate", "1e-3"), "");
  EXPECT_EQ(set_text("shuffle", "no") + set_text("cell", "rnn") + set_text("name", "12"), "");
  EXPECT_EQ(set_text("seed", "18446744073709551615") + set_text("steps", "+1e3"), "");
  EXPECT_EQ(set_text("columns", "a,,b"), "");
  EXPECT_EQ(settings_.hidden, 256);
  EXPECT_EQ(settings_.dropout, 0.25);
  EXPECT_EQ(settings_.rate, 1e-3F);
  EXPECT_FALSE(settings_.shuffle);
  EXPECT_EQ(settings_.cell, TestCell::kRnn);
  EXPECT_EQ(settings_.name, "12");
  EXPECT_EQ(settings_.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(settings_.steps, 1000);
  EXPECT_THAT(settings_.columns, ElementsAre("a", "", "b"));
  EXPECT_EQ(set_text("columns", ""), "");
  EXPECT_TRUE(settings_.columns.empty());
}

TEST_F(OptionsTest, TypedTextOfTheWrongKindIsRefused) {
  for (const char* text : {"", "+", "12x", " 12", "0x10", "1,5", "99999999999999999999999"}) {
    EXPECT_NE(set_text("hidden", text), "") << text;
  }
  EXPECT_EQ(set_text("shuffle", "perhaps"), "--shuffle: expected true|false, got \"perhaps\"");
}

TEST_F(OptionsTest, TextIsWhatSetTextTakes) {
  settings_.rate = 0.1F;
  settings_.columns = {"a", "b"};
  EXPECT_EQ(list_.find("rate").text(), "0.1");
  EXPECT_EQ(list_.find("columns").text(), "a,b");
  EXPECT_EQ(list_.find("shuffle").text(), "true");
  EXPECT_EQ(list_.find("cell").text(), "lstm");
  for (const Option& option : list_.all()) {
    const json before = option.get();
    option.set_text(option.text());
    EXPECT_EQ(option.get(), before) << option.name;
  }
}

TEST_F(OptionsTest, LongOrBrokenValuesAreShownShort) {
  const std::string message = set("hidden", std::string(100000, 'x'));
  EXPECT_LT(message.size(), 150U);
  EXPECT_THAT(set("hidden", "\xFF\xFE"), testing::StartsWith("--hidden: expected"));
}

TEST_F(OptionsTest, AnUnknownNameSuggestsTheNearest) {
  EXPECT_EQ(set("hiden", 1), "unknown option --hiden; did you mean --hidden?");
  EXPECT_EQ(set("zzzzzz", 1), "unknown option --zzzzzz; --help lists those there are");
}

TEST_F(OptionsTest, JsonRoundTrips) {
  settings_.hidden = 7;
  settings_.rate = 0.3F;
  settings_.cell = TestCell::kGru;
  const json saved = list_.to_json();
  EXPECT_EQ(saved.at("rate").dump(), "0.3");
  Settings other;
  OptionList list(other);
  list.from_json(saved);
  EXPECT_EQ(list.to_json(), saved);
  EXPECT_EQ(other.rate, 0.3F);
  EXPECT_EQ(other.cell, TestCell::kGru);
}

TEST_F(OptionsTest, AnObjectIsTakenWholeOrNotAtAll) {
  EXPECT_THROW(list_.from_json({{"hidden", 7}, {"zebra", 1}}), ConfigError);
  EXPECT_THROW(list_.from_json({{"hidden", 7}, {"rate", "fast"}}), ConfigError);
  EXPECT_THROW(list_.from_json(json::array()), ConfigError);
  EXPECT_EQ(settings_.hidden, 128);
  list_.from_json({{"hidden", 7}});
  EXPECT_EQ(settings_.hidden, 7);
}

}  // namespace
}  // namespace rondo
