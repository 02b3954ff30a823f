// The public class, through a file, as a program uses it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "rondo/language_model.h"
#include "small_language_model.h"
#include "storage/language_model_file.h"

namespace rondo {
namespace {

class TextModelTest : public testing::Test {
 protected:
  void SetUp() override {
    save_language_model(path(), small_language_model({.embedding = 7}), nlohmann::json::object());
  }
  void TearDown() override { std::filesystem::remove(path()); }
  static std::string path() {
    return (std::filesystem::temp_directory_path() / ("rondo-text-model-" + std::to_string(getpid())))
        .string();
  }
};

TEST_F(TextModelTest, WritesTheSameTextForTheSameSeed) {
  const TextModel model = TextModel::load(path(), 1);
  std::string pieces;
  const std::string text = model.generate("ab", {{"length", "30"}, {"seed", "4"}, {"ignore-end", "true"}},
                                          [&](std::string_view piece) {
                                            pieces += piece;
                                            return true;
                                          });
  EXPECT_EQ(text.size(), 30U);
  EXPECT_EQ(pieces, text);
  EXPECT_EQ(
      TextModel::load(path(), 2).generate("ab", {{"length", "30"}, {"seed", "4"}, {"ignore-end", "true"}}),
      text);
  EXPECT_EQ(model.generate(
                "ab", {{"length", "30"}, {"seed", "4"}, {"ignore-end", "true"}, {"stop", text.substr(9, 1)}}),
            text.substr(0, text.find(text[9])));
}

TEST_F(TextModelTest, RefusesWhatTheCommandRefuses) {
  const TextModel model = TextModel::load(path(), 1);
  EXPECT_THROW(model.generate("a", {{"temprature", "1"}}), ConfigError);
  EXPECT_THROW(model.generate("a", {{"greedy", "true"}, {"top-k", "3"}}), ConfigError);
  EXPECT_THROW(model.generate("XYZ"), DataError);
  EXPECT_THROW(TextModel::load(path(), 1, "f12"), ConfigError);
  EXPECT_THROW(TextModel::load("/nonexistent"), IoError);
}

TEST_F(TextModelTest, NextIsWhatScoreSays) {
  const TextModel model = TextModel::load(path(), 1);
  const std::vector<Token> next = model.next("abc", 5);
  ASSERT_EQ(next.size(), 5U);
  for (size_t i = 0; i < next.size(); ++i) {
    if (i > 0) {
      EXPECT_GE(next[i - 1].log_probability, next[i].log_probability);
    }
    if (next[i].text == "</s>") continue;
    const std::vector<Token> score = model.score("abc" + next[i].text);
    ASSERT_EQ(score.size(), 5U);  // and the end
    EXPECT_EQ(score[3].text, next[i].text);
    EXPECT_NEAR(score[3].log_probability, next[i].log_probability, 1e-5);
  }
  double sum = 0;
  for (const Token& token : model.next("abc", 1000)) sum += std::exp(token.log_probability);
  EXPECT_LE(sum, 1 + 1e-5);
  EXPECT_GT(sum, 0.9);  // all but the unknown word
}

}  // namespace
}  // namespace rondo
