#include "text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "rondo/errors.h"
#include "text/unicode.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Tokens = std::vector<std::string>;

constexpr TokenizerKind kWithoutModel[] = {TokenizerKind::kWords, TokenizerKind::kBasicEnglish,
                                           TokenizerKind::kKeras, TokenizerKind::kCharacters,
                                           TokenizerKind::kBytes, TokenizerKind::kSpaces};

Tokens tokens(TokenizerKind kind, std::string_view text) { return make_tokenizer(kind)->tokens(text); }
Tokens words(std::string_view text) { return tokens(TokenizerKind::kWords, text); }
Tokens basic_english(std::string_view text) { return tokens(TokenizerKind::kBasicEnglish, text); }
Tokens keras(std::string_view text) { return tokens(TokenizerKind::kKeras, text); }

TEST(Tokenizer, KindsHaveNames) {
  EXPECT_STREQ(name_of(TokenizerKind::kWords), "words");
  EXPECT_STREQ(name_of(TokenizerKind::kBasicEnglish), "basic_english");
  EXPECT_STREQ(name_of(TokenizerKind::kSentencePiece), "sentencepiece");
  for (const TokenizerKind kind : kWithoutModel) {
    EXPECT_EQ(make_tokenizer(kind)->kind(), kind);
    EXPECT_EQ(make_tokenizer(kind)->model(), "");
  }
}

TEST(Tokenizer, AModelGoesWithSentencePieceOnly) {
  EXPECT_THROW(make_tokenizer(TokenizerKind::kWords, "bytes"), ConfigError);
  EXPECT_THROW(make_tokenizer(TokenizerKind::kSentencePiece), ConfigError);
}

TEST(Tokenizer, AnEmptyTextHasNoTokens) {
  for (const TokenizerKind kind : kWithoutModel) EXPECT_THAT(tokens(kind, ""), IsEmpty()) << name_of(kind);
}

TEST(Tokenizer, WhiteSpaceAloneHasNoWords) {
  const std::string blank = " \t\r\n\v\f ";
  EXPECT_THAT(words(blank + "\xC2\xA0\xE3\x80\x80"), IsEmpty());  // and no-break, ideographic space
  EXPECT_THAT(basic_english(blank + "\xC2\xA0\xE3\x80\x80"), IsEmpty());
  EXPECT_THAT(keras(blank), IsEmpty());
}

TEST(Tokenizer, InvalidUtf8IsADataErrorWithItsOffset) {
  for (const TokenizerKind kind : kWithoutModel) {
    if (kind == TokenizerKind::kBytes) continue;
    try {
      tokens(kind, "abcd\xFF");
      FAIL() << name_of(kind);
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr("byte 4")) << name_of(kind);
    }
  }
}

TEST(Tokenizer, RandomTextNeverBreaksAndGivesNoEmptyToken) {
  const Stream stream(3);
  for (const TokenizerKind kind : kWithoutModel) {
    const auto tokenizer = make_tokenizer(kind);
    for (uint64_t round = 0; round < 3000; ++round) {
      std::string text;
      for (uint64_t i = 0; i < 16; ++i) {
        const uint32_t bits = stream.bits(round * 16 + i);
        // raw bytes in odd rounds; else code points, over all planes or where scripts are dense
        if (round % 2 == 1) {
          text.push_back(static_cast<char>(bits >> 24));
        } else {
          append_code_point(text, static_cast<char32_t>(bits % (bits % 3 == 0 ? 0x110000 : 0x3000)));
        }
      }
      if (kind != TokenizerKind::kBytes) text = replace_invalid_utf8(text);
      for (const std::string& token : tokenizer->tokens(text)) {
        ASSERT_FALSE(token.empty());
        ASSERT_TRUE(is_valid_utf8(token));
      }
    }
  }
}

TEST(WordsTokenizer, PunctuationIsATokenEach) {
  EXPECT_THAT(words("Hello, World!"), ElementsAre("hello", ",", "world", "!"));
  EXPECT_THAT(words("wait..."), ElementsAre("wait", ".", ".", "."));
  EXPECT_THAT(words("state-of-the-art"), ElementsAre("state", "-", "of", "-", "the", "-", "art"));
  EXPECT_THAT(words("a_b $5 (x)"), ElementsAre("a", "_", "b", "$", "5", "(", "x", ")"));
}

TEST(WordsTokenizer, AnApostropheBeforeALetterStaysInItsWord) {
  EXPECT_THAT(words("I don't know"), ElementsAre("i", "don't", "know"));
  EXPECT_THAT(words("don\xE2\x80\x99t"), ElementsAre("don't"));  // U+2019
  EXPECT_THAT(words("rock 'n' roll"), ElementsAre("rock", "'", "n", "'", "roll"));
  EXPECT_THAT(words("the 90's, dogs'"), ElementsAre("the", "90's", ",", "dogs", "'"));
}

TEST(WordsTokenizer, NumbersKeepTheirInnerSigns) {
  EXPECT_THAT(words("1,000.5 or 3."), ElementsAre("1,000.5", "or", "3", "."));
  EXPECT_THAT(words("2,b a.5 .5"), ElementsAre("2", ",", "b", "a", ".", "5", ".", "5"));
}

TEST(WordsTokenizer, ComposedAndDecomposedTextsHaveEqualTokens) {
  EXPECT_EQ(words("Caf\xC3\x89"), words("Cafe\xCC\x81"));
  EXPECT_EQ(words("\xC4\xB0"), words("I\xCC\x87"));
  EXPECT_EQ(words("J\xCC\x8C"), words("\xC7\xB0"));  // j with caron has no composed capital
}

TEST(WordsTokenizer, LowerCaseIsUnicodes) {
  EXPECT_THAT(words("\xC3\x84RGER \xCE\xA9 \xD0\x9C\xD0\x98\xD0\xA0"),
              ElementsAre("\xC3\xA4rger", "\xCF\x89", "\xD0\xBC\xD0\xB8\xD1\x80"));
  EXPECT_THAT(words("\xC4\xB0STANBUL"), ElementsAre("istanbul"));  // Turkish dotted I
}

TEST(WordsTokenizer, AnIdeographIsAToken) {
  EXPECT_THAT(words("\xE6\x88\x91\xE7\x88\xB1\xE4\xBD\xA0\xE3\x80\x82ok"),
              ElementsAre("\xE6\x88\x91", "\xE7\x88\xB1", "\xE4\xBD\xA0", "\xE3\x80\x82", "ok"));
  EXPECT_THAT(words("\xE3\x81\xB2\xE3\x82\x89"), ElementsAre("\xE3\x81\xB2\xE3\x82\x89"));  // kana is a run
  EXPECT_THAT(words("\xED\x95\x9C\xEA\xB5\xAD \xEC\x96\xB4"),
              ElementsAre("\xED\x95\x9C\xEA\xB5\xAD", "\xEC\x96\xB4"));
}

TEST(WordsTokenizer, AnEmojiIsOneTokenHoweverManyCodePoints) {
  const std::string family = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7";
  const std::string flag = "\xF0\x9F\x87\xB8\xF0\x9F\x87\xAA";
  const std::string heart = "\xE2\x9D\xA4\xEF\xB8\x8F";
  EXPECT_THAT(words("hi" + family + flag + heart + "!"), ElementsAre("hi", family, flag, heart, "!"));
}

TEST(WordsTokenizer, InvisibleCharactersDoNotMakeWordsDiffer) {
  EXPECT_THAT(words("co\xC2\xADoperate"), ElementsAre("cooperate"));  // soft hyphen
  EXPECT_THAT(words("\xEF\xBB\xBFtheme"), ElementsAre("theme"));      // byte order mark
  EXPECT_THAT(words("a\xE2\x80\x8B"
                    "b"),
              ElementsAre("a", "b"));                                              // zero-width space parts
  EXPECT_THAT(words("\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE"), testing::SizeIs(1));  // Persian, U+200C inside
  EXPECT_THAT(words(std::string_view("a\0b\r\nc", 6)), ElementsAre("a", "b", "c"));
}

TEST(WordsTokenizer, CombiningMarksStayWithTheirWord) {
  EXPECT_THAT(words("\xE0\xA4\xB9\xE0\xA4\xBF\xE0\xA4\x82\xE0\xA4\xA6\xE0\xA5\x80 x"),
              testing::SizeIs(2));  // Hindi
  EXPECT_THAT(words("x\xCC\xB1y"), ElementsAre("x\xCC\xB1y"));
}

// Expected values: torchtext.data.utils._basic_english_normalize, rule by rule.
TEST(BasicEnglishTokenizer, EveryRuleOfTorchtext) {
  EXPECT_THAT(basic_english("Basic English Normalization"), ElementsAre("basic", "english", "normalization"));
  EXPECT_THAT(basic_english("don't"), ElementsAre("don", "'", "t"));
  EXPECT_THAT(basic_english("\"quo\"ted\""), ElementsAre("quoted"));
  EXPECT_THAT(basic_english("U.S."), ElementsAre("u", ".", "s", "."));
  EXPECT_THAT(basic_english("a<br />b<BR />c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(basic_english("a<br/>b"), ElementsAre("a<br/>b"));
  EXPECT_THAT(basic_english("a,b(c)d!e?f"),
              ElementsAre("a", ",", "b", "(", "c", ")", "d", "!", "e", "?", "f"));
  EXPECT_THAT(basic_english("a;b:c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(basic_english("a - b $5 #39;s"), ElementsAre("a", "-", "b", "$5", "#39", "s"));
}

TEST(BasicEnglishTokenizer, TheQuoteGoesBeforeTheLineBreakIsSought) {
  EXPECT_THAT(basic_english("a<b\"r />b"), ElementsAre("a", "b"));
  EXPECT_THAT(basic_english("a<br. />b"), ElementsAre("a<br", ".", "/>b"));
}

TEST(BasicEnglishTokenizer, LowerCaseAndWhiteSpaceArePythons) {
  EXPECT_THAT(basic_english("\xC4\xB0X\xC2\xA0Y\x1CZ"), ElementsAre("i\xCC\x87x", "y", "z"));
  EXPECT_THAT(basic_english("a\xE2\x80\x8B"
                            "b"),
              ElementsAre("a\xE2\x80\x8B"
                          "b"));  // U+200B is no white space
}

TEST(KerasTokenizer, PunctuationVanishes) {
  EXPECT_THAT(keras("Don't stop, U.S.!"), ElementsAre("dont", "stop", "us"));
  EXPECT_THAT(keras("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"), IsEmpty());
  EXPECT_THAT(keras("x-y a\tb\nc\r\nd"), ElementsAre("xy", "a", "b", "c", "d"));
}

TEST(KerasTokenizer, OnlyAsciiIsMappedAndSplit) {
  EXPECT_THAT(keras("\xC3\x84RGER \xE2\x80\x9CX\xE2\x80\x9D"),
              ElementsAre("\xC3\x84rger", "\xE2\x80\x9Cx\xE2\x80\x9D"));
  EXPECT_THAT(keras("a\xC2\xA0"
                    "b"),
              ElementsAre("a\xC2\xA0"
                          "b"));
}

TEST(CharactersTokenizer, ATokenIsACodePointOfTheNormalForm) {
  EXPECT_THAT(tokens(TokenizerKind::kCharacters, "Ae\xCC\x81 \xF0\x9F\x98\x80"),
              ElementsAre("A", "\xC3\xA9", " ", "\xF0\x9F\x98\x80"));
}

TEST(CharactersTokenizer, LineEndsAreLf) {
  EXPECT_THAT(tokens(TokenizerKind::kCharacters, "a\r\nb\rc\r"),
              ElementsAre("a", "\n", "b", "\r", "c", "\r"));
}

TEST(CharactersTokenizer, JoinGivesTheTextBack) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kCharacters);
  EXPECT_EQ(tokenizer->join(tokenizer->tokens("To be,\n or n\xC3\xB6t")), "To be,\n or n\xC3\xB6t");
}

TEST(BytesTokenizer, ATokenIsAByteAndAnyByteIsTaken) {
  EXPECT_THAT(tokens(TokenizerKind::kBytes, "a \n\xC3\xFF"),
              ElementsAre("a", " ", "<0x0A>", "<0xC3>", "<0xFF>"));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  const Tokens names = tokens(TokenizerKind::kBytes, all);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 256U);
}

TEST(BytesTokenizer, JoinGivesTheTextBack) {
  const auto tokenizer = make_tokenizer(TokenizerKind::kBytes);
  const std::string text = "n\xC3\xB6t <0x41>\n";
  EXPECT_EQ(tokenizer->join(tokenizer->tokens(text)), text);
  EXPECT_EQ(tokenizer->join(Tokens{"a", "<0xC3>", "<unk>"}), "a\xEF\xBF\xBD<unk>");
}

TEST(WordsTokenizer, JoinPutsSpacesBetween) {
  const auto words = make_tokenizer(TokenizerKind::kWords);
  EXPECT_EQ(words->join(Tokens{"a", "b", "."}), "a b.");
  EXPECT_EQ(words->join(Tokens{"yes", "!", "(", "no", ",", "3.5", ")", "-", "it's", "\"", "x"}),
            "yes! (no, 3.5) - it's \" x");
  for (const char* text : {"a. 3, 4 . 5,6 ... (b) [c]: d?!", ". , ( ) { x }", "1 . 2 , 3 ' s"}) {
    EXPECT_EQ(words->tokens(words->join(words->tokens(text))), words->tokens(text)) << text;
  }
  EXPECT_EQ(make_tokenizer(TokenizerKind::kSpaces)->join(Tokens{"a", "b", "."}), "a b .");
  EXPECT_EQ(make_tokenizer(TokenizerKind::kWords)->join(Tokens{}), "");
}

// Python 3: " =  Valkyria \t<unk>\u00a0@-@ Don't\n\u3000".split()
TEST(SpacesTokenizer, SplitsAtWhiteSpaceAndChangesNothing) {
  EXPECT_THAT(tokens(TokenizerKind::kSpaces, " =  Valkyria \t<unk>\xC2\xA0@-@ Don't\n\xE3\x80\x80"),
              ElementsAre("=", "Valkyria", "<unk>", "@-@", "Don't"));
  EXPECT_THAT(tokens(TokenizerKind::kSpaces, " \n"), ElementsAre());
  EXPECT_THROW(tokens(TokenizerKind::kSpaces, "a \xFF"), DataError);
}

}  // namespace
}  // namespace rondo
