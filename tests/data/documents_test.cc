#include "data/documents.h"

#include <gmock/gmock.h>

#include "data_test_files.h"

namespace rondo {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

RawDocuments read(const std::string& path, DocumentUnit unit,
                  TokenizerKind kind = TokenizerKind::kCharacters) {
  return read_documents(path, {.documents = unit}, *make_tokenizer(kind));
}

std::vector<int64_t> sizes(std::span<const Piece> pieces) {
  std::vector<int64_t> result;
  for (const Piece& piece : pieces) result.push_back(piece.size());
  return result;
}

Vocabulary all_tokens(const RawDocuments& raw) {
  return with_end_token(count_tokens(raw, raw.pieces).build(1, 0));
}

TEST(Documents, AFileIsOneDocumentWithItsLineEndsAndAnEnd) {
  const TestFolder folder;
  const RawDocuments raw = read(folder.write("a.txt", "ab\nc\n"), DocumentUnit::kFile);
  EXPECT_THAT(sizes(raw.pieces), ElementsAre(6));  // a b LF c LF end
  const Vocabulary vocabulary = all_tokens(raw);
  const TokenStream stream = number_documents(raw, raw.pieces, vocabulary);
  EXPECT_EQ(stream.ids.back(), vocabulary.id("</s>"));
  EXPECT_EQ(stream.input(0, 0), vocabulary.id("</s>"));
  EXPECT_EQ(stream.input(0, 1), vocabulary.id("a"));
  EXPECT_EQ(stream.target(0, 2), vocabulary.id("\n"));
  EXPECT_EQ(stream.characters, 5);
  EXPECT_EQ(stream.unknown, 0);
}

TEST(Documents, LinesBlankLinesAndExamplesPartDocuments) {
  const TestFolder folder;
  const std::string text = folder.write("a.txt", "a b\nc\n\n \nd\n");
  EXPECT_THAT(sizes(read(text, DocumentUnit::kLine).pieces), ElementsAre(4, 2, 2));
  EXPECT_THAT(sizes(read(text, DocumentUnit::kBlankLine).pieces), ElementsAre(7, 3));
  EXPECT_THAT(sizes(read(text, DocumentUnit::kAuto).pieces), ElementsAre(12));
  const std::string table = folder.write("a.csv", "label,text\nx,one two\ny,three\n");
  EXPECT_THAT(sizes(read(table, DocumentUnit::kAuto, TokenizerKind::kWords).pieces), ElementsAre(3, 2));
}

TEST(Documents, CharactersOfATextCountWhateverTheTokensAre) {
  const TestFolder folder;
  const std::string path = folder.write("a.txt", "Gr\xC3\xBC\xC3\x9F Gott\n\nx y\n");
  for (const TokenizerKind kind :
       {TokenizerKind::kCharacters, TokenizerKind::kWords, TokenizerKind::kBytes}) {
    const RawDocuments raw = read(path, DocumentUnit::kFile, kind);
    EXPECT_EQ(number_documents(raw, raw.pieces, all_tokens(raw)).characters, 15) << name_of(kind);
  }
}

TEST(Documents, MoreFilesFollow) {
  const TestFolder folder;
  const auto tokenizer = make_tokenizer(TokenizerKind::kCharacters);
  RawDocuments raw = read_documents(folder.write("a.txt", "ab"), {}, *tokenizer);
  append_documents(folder.write("b.txt", "c"), {}, *tokenizer, raw);
  EXPECT_THAT(sizes(raw.pieces), ElementsAre(4, 3));
  EXPECT_THAT(
      message_of<DataError>([&] { append_documents(folder.write("c.txt", ""), {}, *tokenizer, raw); }),
      HasSubstr("c.txt: there is no text in it"));
}

TEST(Documents, TheEndOfTheTextIsHeldOut) {
  const std::vector<Piece> one = {{0, 100}};
  const SplitPieces split = split_documents(one, {.fraction = 0.1});
  EXPECT_THAT(sizes(split.train), ElementsAre(90));
  EXPECT_THAT(sizes(split.dev), ElementsAre(10));
  EXPECT_FALSE(split.dev[0].starts_document);
  EXPECT_EQ(split.description, "the last 10 % of the tokens");
}

TEST(Documents, DocumentsAreDrawnBySeed) {
  std::vector<Piece> pieces;
  for (int64_t i = 0; i < 20; ++i) pieces.push_back({i * 5, i * 5 + 5});
  const SplitPieces split = split_documents(pieces, {.fraction = 0.2, .seed = 3});
  EXPECT_EQ(split.dev.size(), 4U);
  EXPECT_EQ(split.train.size(), 16U);
  const SplitPieces again = split_documents(pieces, {.fraction = 0.2, .seed = 3});
  EXPECT_EQ(split.dev[0].begin, again.dev[0].begin);
}

TEST(Documents, InterleavedSplitHoldsOutTheEndOfEachStream) {
  // char-rnn: 1115394 characters, 50 streams of 50 steps: 446 batches, 423 to learn from.
  const std::vector<Piece> one = {{0, 1115394}};
  const SplitPieces split =
      split_documents(one, {.kind = DevSplit::kInterleaved, .fraction = 0.05, .streams = 50, .chunk = 50});
  ASSERT_EQ(split.train.size(), 50U);
  EXPECT_EQ(split.train[7].size(), 423 * 50);
  EXPECT_EQ(split.dev[7].size(), 23 * 50);
  EXPECT_EQ(split.dev[7].begin, split.train[7].end);
  EXPECT_EQ(split.train[8].begin, split.dev[7].end);
}

TEST(Documents, ATextTooShortToHoldOutAnythingIsAnError) {
  const std::vector<Piece> one = {{0, 3}};
  EXPECT_THAT(message_of<DataError>([&] {
                split_documents(
                    one, {.kind = DevSplit::kInterleaved, .fraction = 0.1, .streams = 50, .chunk = 50});
              }),
              HasSubstr("too short to hold out"));
}

TEST(Documents, PartsAreCutAndJoined) {
  const std::vector<Piece> pieces = {{0, 10}, {10, 14}};
  EXPECT_THAT(sizes(cut_pieces(pieces, 4)), ElementsAre(3, 3, 4, 4));
  EXPECT_THAT(sizes(cut_pieces(pieces, 1)), ElementsAre(10, 4));
  EXPECT_THAT(sizes(join_pieces(pieces)), ElementsAre(14));
  EXPECT_FALSE(cut_pieces(pieces, 4)[1].starts_document);
}

TEST(Documents, ACutPieceIsPredictedFromTheTokenBefore) {
  const TestFolder folder;
  const RawDocuments raw = read(folder.write("a.txt", "abcd"), DocumentUnit::kFile);
  const Vocabulary vocabulary = all_tokens(raw);
  const TokenStream stream = number_documents(raw, cut_pieces(raw.pieces, 2), vocabulary);
  ASSERT_EQ(stream.pieces(), 2);
  EXPECT_EQ(stream.first_inputs[1], stream.ids[2]);
}

}  // namespace
}  // namespace rondo
