// Sentences whose words carry tags: CoNLL columns and CoNLL-U, read so that they can be written back.
//   ConllFile file("train.conll", {});  for (const ConllSentence& sentence : file.sentences()) { ... }
//   write_file("out.conll", file.with_tags(predicted, TagPlace::kReplace));
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"

namespace rondo {

/// kAuto: CoNLL-U if the name ends in .conllu (.conllu.gz), or if the first line with columns has ten of
/// them, parted by tabs, the first 1, 1-2 or 0.1; columns otherwise.
enum class ConllFormat { kAuto, kColumns, kConllu };

template <>
inline constexpr auto kNames<ConllFormat> =
    std::array{std::pair{ConllFormat::kAuto, "auto"}, std::pair{ConllFormat::kColumns, "columns"},
               std::pair{ConllFormat::kConllu, "conllu"}};

/// The columns of files like one that was read before, as by their options: what a model learnt from.
struct ConllColumns {
  bool conllu = false;
  std::string token, tag;
};

struct ConllOptions {
  ConllFormat format = ConllFormat::kAuto;
  /// From 1, from the end -1, or in CoNLL-U a name: id, form, lemma, upos, xpos, feats, head, deprel, deps,
  /// misc. Empty: the first column, in CoNLL-U form.
  std::string token_column;
  /// Likewise; "none" for a file without tags. Empty: the last column (none if there is one), in CoNLL-U
  /// upos.
  std::string tag_column;
  ConllColumns usual;            ///< no option: what an empty column means in files of that kind instead
  bool comments = false;         ///< lines of columns that begin with # are none; in CoNLL-U always so
  bool replace_invalid = false;  ///< tokens and tags with bytes that are no UTF-8 are repaired, not refused

  /// All but --replace-invalid, which is said once for all that a command reads.
  template <class Visitor>
  void visit(Visitor& v) {
    v("conll", format, "how a file with a word a line is written; auto looks at the name and the first line");
    v("token-column", token_column,
      "number of the words' column, from 1 or from the end -1, in CoNLL-U a name; empty: 1, form");
    v("tag-column", tag_column,
      "number of the tags' column, likewise, or none; empty: the last one, in CoNLL-U upos");
    v("comments", comments, "lines of columns that begin with # are comments");
  }
};

struct ConllSentence {
  std::vector<std::string> tokens;
  std::vector<std::string> tags;  ///< one a token, or none at all if the file has none
  int64_t line = 0;               ///< of the first token, from 1
};

/// kReplace: in the tag column. kAppend: in a new last column, as conlleval wants it (not in CoNLL-U): a
/// -DOCSTART- line as wide as the others gets its last column again (O where the file has no tags), for
/// conlleval takes it for a token and wants as many columns in every line.
enum class TagPlace { kReplace, kAppend };

/// A file and its sentences. Columns are parted by tabs if the first line with columns has one, and may be
/// empty then, or else by runs of spaces; every line has as many as the first. Blank lines end sentences;
/// -DOCSTART- lines do too and are no tokens. In CoNLL-U ranges of words (3-4) and empty nodes (8.1) are no
/// tokens either. All of it stays in the bytes.
class ConllFile {
 public:
  /// Reads a file, gzip opened, "-" for standard input.
  /// @throws IoError; ConfigError for a column that cannot be; DataError `file:line: ...` for a line with
  /// other columns than expected, numbers out of turn, bytes that are no UTF-8.
  explicit ConllFile(const std::string& path, ConllOptions options = {});
  /// The same of bytes in memory; `name` stands in messages.
  static ConllFile parse(std::string bytes, std::string name, ConllOptions options = {});

  const std::vector<ConllSentence>& sentences() const { return sentences_; }
  bool has_tags() const { return has_tags_; }
  bool is_conllu() const { return conllu_; }
  const std::string& bytes() const { return bytes_; }

  /// The file's bytes with tags[i][j] for token j of sentence i; with the tags that were read, byte for byte
  /// the file.
  /// @throws DataError if their numbers differ or a tag is empty or has white space; ConfigError if there is
  /// no column to replace, or one is to be appended to CoNLL-U.
  std::string with_tags(std::span<const std::vector<std::string>> tags, TagPlace place) const;

 private:
  /// Where a token's tag and columns end in the bytes: white space behind them stays there, for to conlleval
  /// two spaces in a row are an empty column.
  struct Place {
    size_t tag_begin = 0, tag_end = 0, columns_end = 0;
  };
  friend class ConllParser;

  ConllFile() = default;
  void check_tags(std::span<const std::vector<std::string>> tags, TagPlace place) const;
  std::string with_column(std::span<const std::vector<std::string>> tags) const;

  std::string bytes_;
  std::string name_;
  std::vector<ConllSentence> sentences_;
  std::vector<Place> places_;     ///< of all tokens, in order
  std::vector<Place> documents_;  ///< of -DOCSTART- lines as wide as those of tokens; tag: the last column
  bool has_tags_ = false;
  bool conllu_ = false;
  bool tabs_ = false;
};

}  // namespace rondo
