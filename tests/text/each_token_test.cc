// Tokens one by one are the tokens of the list, for every kind of tokenizer and for text of every kind.
#include <gtest/gtest.h>

#include "text/tokenizer.h"

namespace rondo {
namespace {

const std::string kTexts[] = {
    "",
    "   ",
    "I don't know. 1,000.5 (really)!",
    "a \"quoted\" word<br />and <b\"r /> more; tabs\tand: lines\n",
    "<br />",
    "x<br />y",
    "Na\xC3\xAFve caf\xC3\xA9 \xE2\x80\x9Cquotes\xE2\x80\x9D \xC2\xA0no-break",
    "\xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC mixed",
    "'''...!!!",
    std::string("zero\0byte", 9),
};

TEST(EachToken, GivesTheTokensOfTheList) {
  for (const auto kind : {TokenizerKind::kWords, TokenizerKind::kBasicEnglish, TokenizerKind::kKeras,
                          TokenizerKind::kCharacters, TokenizerKind::kBytes, TokenizerKind::kSpaces}) {
    const auto tokenizer = make_tokenizer(kind);
    for (const std::string& text : kTexts) {
      std::vector<std::string> tokens;
      tokenizer->each_token(text, [&](std::string_view token) { tokens.emplace_back(token); });
      EXPECT_EQ(tokens, tokenizer->tokens(text)) << name_of(kind) << ": " << text;
      for (const std::string& token : tokens) EXPECT_FALSE(token.empty()) << name_of(kind) << ": " << text;
    }
  }
}

TEST(EachToken, BasicEnglishCutsAsTorchtextDoes) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kBasicEnglish);
  const auto tokens = [&](const std::string& text) { return tokenizer->tokens(text); };
  using List = std::vector<std::string>;
  EXPECT_EQ(tokens("x<br />y"), (List{"x", "y"}));
  EXPECT_EQ(tokens("It's 5.5 (or so);\tyes:no"),
            (List{"it", "'", "s", "5", ".", "5", "(", "or", "so", ")", "yes", "no"}));
  EXPECT_EQ(tokens("<b\"r />z"), (List{"z"}));  // the loss of the quote completes the line break
  EXPECT_EQ(tokens("a<b /br"), (List{"a<b", "/br"}));
}

}  // namespace
}  // namespace rondo
