// Texts without labels, as a language model reads them: documents, each with an end, numbered token by token.
//   RawDocuments raw = read_documents("corpus.txt", {.documents = DocumentUnit::kBlankLine}, *tokenizer);
//   auto [train, dev] = split_documents(raw.pieces, {.fraction = 0.1, .seed = 1});
//   TokenStream stream = number_documents(raw, train, vocabulary);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "data/labelled.h"
#include "data/numbered.h"
#include "text/tokenizer.h"
#include "text/vocabulary.h"

namespace rondo {

enum class DocumentUnit { kAuto, kFile, kBlankLine, kLine, kExample };
enum class DevSplit { kAuto, kEnd, kRandom, kInterleaved };

template <>
inline constexpr auto kNames<DocumentUnit> =
    std::array{std::pair{DocumentUnit::kAuto, "auto"}, std::pair{DocumentUnit::kFile, "file"},
               std::pair{DocumentUnit::kBlankLine, "blank-line"}, std::pair{DocumentUnit::kLine, "line"},
               std::pair{DocumentUnit::kExample, "example"}};
template <>
inline constexpr auto kNames<DevSplit> =
    std::array{std::pair{DevSplit::kAuto, "auto"}, std::pair{DevSplit::kEnd, "end"},
               std::pair{DevSplit::kRandom, "random"}, std::pair{DevSplit::kInterleaved, "interleaved"}};

struct DocumentOptions {
  DocumentUnit documents = DocumentUnit::kAuto;
  ReadOptions read;

  template <class Visitor>
  void visit(Visitor& v) {
    v("documents", documents,
      "what one document is: the file, what stands between blank lines, a line, or an example of a CSV, TSV, "
      "JSONL or fastText file; auto: example by the file's name, else the file");
    read.visit(v);
  }
};

/// Part of the text that is read from a state of its own. Positions count tokens of RawDocuments, the end
/// token of a document included.
struct Piece {
  int64_t begin = 0, end = 0;
  bool starts_document = true;  ///< its first token is predicted from the end token, else from the one before

  int64_t size() const { return end - begin; }
};

/// Documents as numbers of a table of their own, before there is a vocabulary.
struct RawDocuments {
  static constexpr int32_t kEnd = -1;  ///< stands behind each document's last token

  std::string format;  ///< what was detected, to tell the user
  TokenTable table;
  std::vector<int32_t> tokens;  ///< numbers in the table, and kEnd
  std::vector<int32_t>
      characters;             ///< code points of the text that each token stands for, for bits a character
  std::vector<Piece> pieces;  ///< one a document
  int64_t empty = 0;          ///< documents without a token: left out
  int64_t replaced_lines = 0;
};

/// Reads a file of any size up to memory. Lines end a token, whatever they are; characters and bytes keep the
/// line's end as a token where a document has several lines. @throws DataError; IoError.
RawDocuments read_documents(const std::string& path, const DocumentOptions& options,
                            const Tokenizer& tokenizer);
/// The documents of one more file, behind those that are there.
void append_documents(const std::string& path, const DocumentOptions& options, const Tokenizer& tokenizer,
                      RawDocuments& raw);
/// The documents of texts in memory, each one.
RawDocuments number_texts(std::span<const std::string> texts, const Tokenizer& tokenizer);
/// The texts of a file's documents, line by line where one has several: what a subword model is trained on.
std::vector<std::string> read_document_texts(const std::string& path, const DocumentOptions& options);

struct DevSplitOptions {
  DevSplit kind = DevSplit::kAuto;
  double fraction = 0.1;
  uint64_t seed = 1;
  int64_t streams = 50, chunk = 50;  ///< kInterleaved
};
struct SplitPieces {
  std::vector<Piece> train, dev;
  std::string description;  ///< "the last 10 % of the tokens": to be told beside every figure
};

/// end: the last share of all tokens, cut wherever that is. random: documents drawn by the seed. interleaved:
/// the text is laid out in `streams` of whole chunks, what is over is left out, and the last share of the
/// chunks of each stream goes (char-rnn's split). auto: end for one document, else random.
/// @throws DataError if a part would be empty.
SplitPieces split_documents(std::span<const Piece> pieces, const DevSplitOptions& options);

/// All of them as one, where a state is carried from document to document.
std::vector<Piece> join_pieces(std::span<const Piece> pieces);
/// Long pieces cut into parts, so that there are `parts` at least, each to be read from a state of zeros.
std::vector<Piece> cut_pieces(std::span<const Piece> pieces, int64_t parts);

/// Counts the tokens of some pieces.
VocabularyCounter count_tokens(const RawDocuments& raw, std::span<const Piece> pieces);
/// The vocabulary with Vocabulary::kEndToken as id 1, unless it stands there somewhere already.
Vocabulary with_end_token(const Vocabulary& vocabulary);

/// Numbered pieces, one after another. Piece p is ids[offsets[p]] .. ids[offsets[p+1]-1]; its first token is
/// predicted from first_inputs[p], each other one from the token before.
struct TokenStream {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets{0};
  std::vector<int32_t> first_inputs;
  int64_t unknown = 0;     ///< tokens that the vocabulary lacks
  int64_t characters = 0;  ///< code points of the text

  int64_t pieces() const { return static_cast<int64_t>(first_inputs.size()); }
  int64_t size() const { return static_cast<int64_t>(ids.size()); }
  int64_t length(int64_t p) const { return offsets[p + 1] - offsets[p]; }
  /// What token t of piece p is predicted from.
  int32_t input(int64_t p, int64_t t) const { return t == 0 ? first_inputs[p] : ids[offsets[p] + t - 1]; }
  int32_t target(int64_t p, int64_t t) const { return ids[offsets[p] + t]; }
};

TokenStream number_documents(const RawDocuments& raw, std::span<const Piece> pieces,
                             const Vocabulary& vocabulary);

}  // namespace rondo
