// Sentences and their translations, read from two files with a sentence a line, or from one table of both.
//   ParallelCorpus train = read_parallel({.source = "train.en", .target = "train.de.gz"});
//   ParallelCorpus test = read_parallel({.source = "pairs.tsv"});   // its first two columns
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/options.h"
#include "data/labelled.h"

namespace rondo {

enum class EmptySides { kLeaveOut, kRefuse };

template <>
inline constexpr auto kNames<EmptySides> =
    std::array{std::pair{EmptySides::kLeaveOut, "leave-out"}, std::pair{EmptySides::kRefuse, "refuse"}};

/// How pairs are written, whichever files they stand in.
struct ParallelFormat {
  TextFormat format = TextFormat::kAuto;
  std::string source_column;
  std::string target_column;
  Header header = Header::kAuto;
  bool quotes = true;
  EmptySides empty = EmptySides::kLeaveOut;
  bool replace_invalid = false;

  template <class Visitor>
  void visit(Visitor& v) {
    v("format", format,
      "how one file of pairs is written: csv, tsv or jsonl; auto looks at the name and the first line");
    v("source-column", source_column,
      "name or number (from 1) of the source's column, or its JSON key (a.b is b inside a); empty: by the "
      "header, else the first");
    v("target-column", target_column,
      "name or number of the target's column, or its JSON key; empty: by the header, else the second");
    v("header", header, "whether the first row of CSV or TSV names the columns; auto: if it looks so");
    v("quotes", quotes, "cells of CSV and TSV may stand in double quotes; false takes quotes as they are");
    v("empty", empty, "pairs with an empty side: leave them out with a warning, or refuse the file");
    v("replace-invalid", replace_invalid,
      "put U+FFFD for bytes that are not UTF-8 instead of stopping at them");
  }
};

struct ParallelOptions {
  std::string source;
  std::string target;
  ParallelFormat read;

  template <class Visitor>
  void visit(Visitor& v) {
    v("source", source, "sentences to translate, one a line; or CSV, TSV or JSON lines with both sides");
    v("target", target, "their translations, line by line; none where --source holds both sides");
    read.visit(v);
  }
};

/// A sentence and its translation, without white space at their ends; `line` is the line of the source,
/// from 1.
struct SentencePair {
  std::string source, target;
  int64_t line = 0;
};

struct ParallelCorpus {
  std::string name;    ///< the files, for messages: "train.en and train.de"
  std::string format;  ///< what was detected, to tell the user: "TSV, no header: columns 1 and 2"
  std::vector<SentencePair> pairs;
  int64_t empty = 0;           ///< pairs left out because a side is empty
  int64_t replaced_lines = 0;  ///< lines with bytes that were not UTF-8 (replace_invalid)
  std::vector<std::string> warnings;
};

/// Reads all pairs; gzip is opened, "-" is standard input.
///
/// Two files have a sentence a line and as many lines. One file is CSV, TSV or JSON lines by its name, else
/// by its first line: `{` begins JSON lines, a tab makes it TSV, else it is CSV. Its first row is a header if
/// an option names a column, or if it has a word for a source (source, src, english, en) and another for a
/// target (target, tgt, trg, translation). Without a header columns 1 and 2 are taken.
///
/// @throws DataError `file:line: ...` for a line without a partner (with the lines of both files), a missing
///         column or key, an empty side (EmptySides::kRefuse), bytes that are not UTF-8; and if no pair is
///         left. ConfigError for options that do not fit; IoError.
ParallelCorpus read_parallel(const ParallelOptions& options);

}  // namespace rondo
