// A corpus of any kind as a doctor looks at it: items with a place, a text, tokens and labels.
//   ExaminedWords words;
//   ExaminedCorpus train = read_examined("train.csv", {}, {.task = ExaminedTask::kClassify}, words);
//   train.place(0) == "train.csv:2"
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/conll.h"
#include "data/documents.h"
#include "data/labelled.h"
#include "data/numbered.h"
#include "data/parallel_corpus.h"

namespace rondo {

enum class ExaminedTask { kAuto, kClassify, kTag, kLm, kTranslate };

template <>
inline constexpr auto kNames<ExaminedTask> =
    std::array{std::pair{ExaminedTask::kAuto, "auto"}, std::pair{ExaminedTask::kClassify, "classify"},
               std::pair{ExaminedTask::kTag, "tag"}, std::pair{ExaminedTask::kLm, "lm"},
               std::pair{ExaminedTask::kTranslate, "translate"}};

/// How files are written, whichever of the kinds they are of.
struct ExaminedFormat {
  ExaminedTask task = ExaminedTask::kAuto;
  ReadOptions read;
  ConllOptions conll;
  std::string source_column, target_column;

  template <class Visitor>
  void visit(Visitor& v) {
    v("task", task,
      "what is to be learnt from the files; auto: by the model, else tag for .conll, .conllu, .bio and .iob, "
      "lm for .txt, translate with --target, else classify");
    v("format", read.format, "how the input is written; auto looks at the name and the first lines");
    v("label-column", read.label_column, "name or number of the label's column or JSON key");
    v("text-column", read.text_column, "name or number of the text's column or JSON key");
    v("header", read.header, "whether the first row of CSV or TSV names the columns");
    v("label-separator", read.label_separator, "what stands between several labels in one cell, such as ';'");
    v("quotes", read.quotes, "cells of CSV and TSV may stand in double quotes");
    v("source-column", source_column, "pairs in one file: name or number of the source's column");
    v("target-column", target_column, "pairs in one file: name or number of the target's column");
    conll.visit(v);
  }
};

/// Words of all files that are compared, by number.
struct ExaminedWords {
  TokenTable text, target;  ///< target: of translations
};

/// A text by what is asked of it: the text itself is not kept.
struct ExaminedText {
  uint64_t exact = 0;  ///< hash of its bytes
  /// Of its words in lower case with nothing between: equal where two texts differ in punctuation, white
  /// space and case alone. A text without words has that of its bytes.
  uint64_t normalised = 0;
  std::vector<int32_t> tokens;  ///< words in lower case and signs; the words of CoNLL as they are
};

struct ExaminedItem {
  int64_t line = 0;
  ExaminedText text;                ///< a text, a source, a sentence's words, a line of a document
  ExaminedText target;              ///< of a pair
  std::vector<std::string> labels;  ///< of a text; of a sentence the tags, one a word
};

struct ExaminedCorpus {
  std::string path, format;
  std::string noun;  ///< "texts", "sentences", "pairs" or "lines"
  std::vector<ExaminedItem> items;
  int64_t empty_sides = 0;  ///< pairs that were left out

  int64_t size() const { return static_cast<int64_t>(items.size()); }
  const ExaminedItem& operator[](int64_t i) const { return items[static_cast<size_t>(i)]; }
  /// "train.csv:12".
  std::string place(int64_t i) const { return path + ":" + std::to_string((*this)[i].line); }
};

/// The task that a file's name tells; classify where it tells none.
ExaminedTask task_by_name(const std::string& path);

/// Bytes that are not UTF-8 are replaced: raw_lines.h tells of them.
/// @param target  the file of the translations, or empty.  @param words  gets those of this file, too.
/// @throws as the readers of data/ for files that no training would read.
ExaminedCorpus read_examined(const std::string& path, const std::string& target, const ExaminedFormat& format,
                             ExaminedWords& words);

/// All labels as one text.
std::string label_key(const ExaminedItem& item);

}  // namespace rondo
