#include "text/unicode.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utf8proc.h>

#include <chrono>
#include <cstdlib>

#include "base/random.h"
#include "rondo/errors.h"

namespace rondo {
namespace {

std::string utf8(char32_t code) {
  std::string text;
  append_code_point(text, code);
  return text;
}

std::string reference_nfc(const std::string& text) {
  utf8proc_uint8_t* mapped = utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
  std::string result(reinterpret_cast<const char*>(mapped));
  std::free(mapped);
  return result;
}

TEST(Unicode, InvalidBytesAreFoundAtTheirOffset) {
  struct Case {
    std::string text;
    size_t offset;
  };
  const Case cases[] = {
      {"ab\xFFz", 2},          {"\x80", 0},         {"a\xC3", 1},          {"a\xE2\x82", 1},
      {"\xC0\xAF", 0},         {"\xE0\x80\xAF", 0}, {"ok\xED\xA0\x80", 2},  // a surrogate
      {"\xF4\x90\x80\x80", 0}, {"\xF8\x88", 0},     {"\xC3\xA4\xC3(", 2},
  };
  for (const Case& c : cases) {
    size_t offset = 99;
    EXPECT_FALSE(is_valid_utf8(c.text, &offset)) << c.offset;
    EXPECT_EQ(offset, c.offset);
    EXPECT_THROW(require_utf8(c.text), DataError);
  }
}

TEST(Unicode, ValidTextsPass) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_valid_utf8("\xC3\xA4 \xE4\xB8\xAD \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF"));
}

TEST(Unicode, AnErrorNamesTheOffsetAndTheByte) {
  try {
    normalize("abc\xFE");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("byte 3 (0xFE)"));
  }
}

// The example of the Unicode Standard, table 3-11 and its neighbours.
TEST(Unicode, EveryMaximalSubpartBecomesOneReplacement) {
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(replace_invalid_utf8("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
            r + r + r + r + r + r + r + r + "A");
  EXPECT_EQ(replace_invalid_utf8("\xED\xA0\x80"), r + r + r);
  EXPECT_EQ(replace_invalid_utf8("caf\xC3"), "caf" + r);
  EXPECT_EQ(replace_invalid_utf8("caf\xC3\xA9"), "caf\xC3\xA9");
}

TEST(Unicode, RandomBytesAreRepairedToValidText) {
  const Stream stream(11);
  for (uint64_t round = 0; round < 2000; ++round) {
    std::string text;
    for (uint64_t i = 0; i < 24; ++i) text.push_back(static_cast<char>(stream.bits(round * 24 + i) >> 24));
    const std::string repaired = replace_invalid_utf8(text);
    EXPECT_TRUE(is_valid_utf8(repaired));
    EXPECT_EQ(is_valid_utf8(text), repaired == text);
    EXPECT_TRUE(is_valid_utf8(full_lower_case(normalize(repaired))));
  }
}

TEST(Unicode, NormalFormComposes) {
  EXPECT_EQ(normalize("cafe\xCC\x81"), "caf\xC3\xA9");
  EXPECT_EQ(normalize("\xE2\x84\xAB"), "\xC3\x85");                              // Angstrom sign
  EXPECT_EQ(normalize("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8"), "\xEA\xB0\x81");  // Hangul
  EXPECT_EQ(normalize("\xE3\x81\x8B\xE3\x82\x99"), "\xE3\x81\x8C");              // ka and voicing mark
  EXPECT_EQ(normalize(std::string_view("a\0e\xCC\x81", 5)), std::string("a\0\xC3\xA9", 4));
}

// normalize() skips texts of inert code points: it must never skip wrongly.
TEST(Unicode, NormalFormOfEveryCodePointIsUtf8procs) {
  for (char32_t code = 1; code < 0x110000; ++code) {
    if (code >= 0xD800 && code < 0xE000) continue;
    const std::string text = utf8(code);
    ASSERT_EQ(normalize(text), reference_nfc(text)) << static_cast<uint32_t>(code);
  }
}

TEST(Unicode, NormalFormOfRandomPairsIsUtf8procs) {
  const Stream stream(5);
  for (uint64_t i = 0; i < 400000; i += 2) {
    // mostly where combinations are: below U+3100 and Hangul
    const auto pick = [&](uint64_t n) {
      return static_cast<char32_t>(stream.bits(n) % 4 == 0 ? 0xAC00 + stream.bits(n + 400000) % 0x2BA4
                                                           : 1 + stream.bits(n + 400000) % 0x3100);
    };
    const std::string text = utf8(pick(i)) + utf8(pick(i + 1));
    ASSERT_EQ(normalize(text), reference_nfc(text));
  }
}

TEST(Unicode, AFloodOfCombiningMarksTakesLinearTime) {
  std::string text = "a";
  for (int i = 0; i < 200000; ++i) text += i % 2 == 0 ? "\xCC\x81" : "\xCC\xA3";  // above, below: unsorted
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(is_valid_utf8(normalize(text)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(4));
}

TEST(Unicode, SimpleLowerCaseMapsOneToOne) {
  EXPECT_EQ(lower_case("ABC xyz 123"), "abc xyz 123");
  EXPECT_EQ(lower_case("\xC3\x84\xC3\x96\xC3\x9C"), "\xC3\xA4\xC3\xB6\xC3\xBC");
  EXPECT_EQ(lower_case("\xC4\xB0stanbul"), "istanbul");  // U+0130
  EXPECT_EQ(lower_case("\xCE\xA3"), "\xCF\x83");
  EXPECT_EQ(lower_case("\xE1\xBA\x9E"), "\xC3\x9F");  // capital sharp s
}

// Expected values: Python 3's str.lower().
TEST(Unicode, FullLowerCaseIsPythons) {
  EXPECT_EQ(full_lower_case("\xC4\xB0X"), "i\xCC\x87x");
  EXPECT_EQ(full_lower_case("\xCE\x9F\xCE\x94\xCE\x9F\xCE\xA3 \xCE\xA3"),
            "\xCE\xBF\xCE\xB4\xCE\xBF\xCF\x82 \xCF\x83");
  EXPECT_EQ(full_lower_case("A\xCE\xA3'B"), "a\xCF\x83'b");    // a letter follows past the apostrophe
  EXPECT_EQ(full_lower_case("A'\xCE\xA3-B"), "a'\xCF\x82-b");  // a hyphen ends the word
}

}  // namespace
}  // namespace rondo
