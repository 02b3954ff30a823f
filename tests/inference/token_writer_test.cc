// Tokens written as they come: together they are what the tokenizer joins.
#include "inference/token_writer.h"

#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

#include <algorithm>

#include "allocations.h"
#include "base/random.h"
#include "text/unicode.h"
#include "text/vocabulary.h"

namespace rondo {
namespace {

// What has been written after each token, and at the end.
std::vector<std::string> written(const Tokenizer& tokenizer, const std::vector<std::string>& tokens) {
  TokenWriter writer(tokenizer);
  std::vector<std::string> after;
  std::string text;
  for (const std::string& token : tokens) {
    writer.write(token, text);
    after.push_back(text);
  }
  writer.finish(text);
  after.push_back(text);
  return after;
}

std::string all_of(const Tokenizer& tokenizer, const std::vector<std::string>& tokens) {
  return written(tokenizer, tokens).back();
}

std::string sentencepiece_model(bool byte_fallback, bool keep_spaces) {
  class Sentences : public sentencepiece::SentenceIterator {
   public:
    bool done() const override { return index_ == 200; }
    void Next() override { text_ = "the theme returns after  episode number " + std::to_string(++index_); }
    const std::string& value() const override { return text_; }
    sentencepiece::util::Status status() const override { return {}; }

   private:
    int index_ = 0;
    std::string text_ = "a rondo is a piece of music whose theme returns";
  } sentences;
  std::unordered_map<std::string, std::string> options = {
      {"vocab_size", byte_fallback ? "320" : "60"}, {"hard_vocab_limit", "false"}, {"num_threads", "1"}};
  if (byte_fallback) options["byte_fallback"] = "true";
  if (keep_spaces) {
    options["remove_extra_whitespaces"] = "false";
    options["add_dummy_prefix"] = "false";
  }
  std::string model;
  testing::internal::CaptureStderr();
  const auto status = sentencepiece::SentencePieceTrainer::Train(options, &sentences, &model);
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(status.ok()) << status.ToString();
  return model;
}

// `count` draws from `choices`.
std::vector<std::string> drawn(const std::vector<std::string>& choices, uint64_t seed, size_t count) {
  const Stream stream(seed);
  std::vector<std::string> tokens;
  for (size_t i = 0; i < count; ++i) tokens.push_back(choices[stream.below(2 * i, choices.size())]);
  return tokens;
}

TEST(TokenWriter, EveryKindWritesWhatItsTokenizerJoins) {
  const std::string text =
      "Don't stop: 1,000.5 caf\xC3\xA9s \xE4\xBD\xA0\xE5\xA5\xBD, \xF0\x9F\x98\x80!\nA new line.";
  for (const auto& [kind, name] : kNames<TokenizerKind>) {
    const auto tokenizer =
        kind == TokenizerKind::kSentencePiece
            ? make_tokenizer(kind, sentencepiece_model(/*byte_fallback=*/true, /*keep_spaces=*/false))
            : make_tokenizer(kind);
    const std::vector<std::string> tokens = tokenizer->tokens(text);
    const std::vector<std::string> after = written(*tokenizer, tokens);
    EXPECT_EQ(after.back(), tokenizer->join(tokens)) << name;
    for (size_t i = 0; i + 1 < after.size(); ++i) {
      EXPECT_TRUE(after[i + 1].starts_with(after[i])) << name << " token " << i;
      EXPECT_TRUE(is_valid_utf8(after[i])) << name << " token " << i;
    }
  }
}

TEST(TokenWriter, WordsStandWithTheSpaceBefore) {
  const auto words = make_tokenizer(TokenizerKind::kWords);
  EXPECT_EQ(written(*words, {"a", "b", "."}), (std::vector<std::string>{"a", "a b", "a b.", "a b."}));
}

TEST(TokenWriter, CharacterOfSeveralBytesComesWhole) {
  const auto bytes = make_tokenizer(TokenizerKind::kBytes);
  const std::string smile = "\xF0\x9F\x98\x80";
  EXPECT_EQ(written(*bytes, {"<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "x"}),
            (std::vector<std::string>{"", "", "", smile, smile + "x", smile + "x"}));
  EXPECT_EQ(written(*bytes, {"a", "<0xE2>", "<0x82>"}).at(2), "a");
  EXPECT_EQ(all_of(*bytes, {"a", "<0xE2>", "<0x82>"}), "a\xEF\xBF\xBD");
}

TEST(TokenWriter, HostileBytesAreReplacedAsJoinDoes) {
  const auto bytes = make_tokenizer(TokenizerKind::kBytes);
  // Leads, continuations and the borders of table 3-7, with what no sequence may hold.
  const std::vector<std::string> choices = {
      "<0xC0>", "<0xC2>", "<0xDF>", "<0xE0>", "<0xE1>", "<0xED>", "<0xEF>", "<0xF0>", "<0xF4>", "<0xF5>",
      "<0xFF>", "<0x80>", "<0x8F>", "<0x90>", "<0x9F>", "<0xA0>", "<0xBF>", "a",      "<0x00>", "<unk>"};
  for (uint64_t seed = 0; seed < 3000; ++seed) {
    const std::vector<std::string> tokens = drawn(choices, seed, 12);
    ASSERT_EQ(all_of(*bytes, tokens), bytes->join(tokens)) << seed;
  }
}

TEST(TokenWriter, AnyPiecesOfSentencePieceAreTheirJoin) {
  for (const bool byte_fallback : {false, true}) {
    for (const bool keep_spaces : {false, true}) {
      const std::string model = sentencepiece_model(byte_fallback, keep_spaces);
      const auto tokenizer = make_tokenizer(TokenizerKind::kSentencePiece, model);
      std::vector<std::string> choices = Vocabulary::from_sentencepiece(model).tokens();
      if (byte_fallback) {  // half of the draws: neighbours that make characters, or do not
        for (const char* piece : {"<0xE2>", "<0x82>", "<0xAC>", "<0xF0>", "<0x41>", "<0xED>", "<0xA0>"}) {
          choices.insert(choices.end(), choices.size() / 14 + 1, piece);
        }
      }
      // The beginning is where spaces vanish.
      for (const char* piece : {"\xE2\x96\x81", "<s>", "no such piece", "<0xab>"}) {
        choices.insert(choices.end(), choices.size() / 12 + 1, piece);
      }
      for (uint64_t seed = 0; seed < 2000; ++seed) {
        const std::vector<std::string> tokens = drawn(choices, seed, 8);
        ASSERT_EQ(all_of(*tokenizer, tokens), tokenizer->join(tokens))
            << byte_fallback << keep_spaces << seed;
      }
    }
  }
}

TEST(TokenWriter, BeginsAnewAfterItsEnd) {
  const auto words = make_tokenizer(TokenizerKind::kWords);
  TokenWriter writer(*words);
  std::string text;
  for (int i = 0; i < 2; ++i) {
    writer.write("a", text);
    writer.write("b", text);
    writer.finish(text);
  }
  EXPECT_EQ(text, "a ba b");
}

TEST(TokenWriter, AllocatesNothingWhereTheTextHasRoom) {
  for (const TokenizerKind kind :
       {TokenizerKind::kCharacters, TokenizerKind::kBytes, TokenizerKind::kWords}) {
    const auto tokenizer = make_tokenizer(kind);
    TokenWriter writer(*tokenizer);
    std::string text;
    text.reserve(1000);
    const std::vector<std::string> tokens = {"a", "<0xE2>", "<0x82>", "<0xAC>", "<0x82>", "word"};
    const int64_t before = allocations();
    for (const std::string& token : tokens) writer.write(token, text);
    EXPECT_EQ(allocations(), before) << name_of(kind);
    EXPECT_FALSE(text.empty());
  }
}

}  // namespace
}  // namespace rondo
