// A parallel corpus that Debian and Ubuntu carry: descriptions of packages and their translations.
//   DebianTranslationsOptions options{.language = "fr", .output = "pairs.tsv"};
//   write_debian_translations(debian_translations(options), options);
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/debian_packages.h"

namespace rondo {

struct DebianTranslationsOptions {
  std::string language = "fr";
  std::string output = "debian-translations.tsv";
  std::string split;
  std::string lists = "/var/lib/apt/lists";
  bool sentences = true;

  template <class Visitor>
  void visit(Visitor& v) {
    v("language", language, "the target: a language of the project's translators, such as fr, de, pt_BR");
    v("output", output, "file to write, .tsv or .csv; with --split NAME-train, NAME-dev and NAME-test");
    v("split", split, "shares of train, dev and test files, such as 90/5/5; empty: one file");
    v("lists", lists, "folder of apt's lists, with Translation-en and the Translation of the language");
    v("sentences", sentences, "cut paragraphs into sentences where both sides have as many");
  }
};

/// What one Translation file says: description by package and checksum of the English text.
using Descriptions = std::map<std::string, std::string>;

/// Adds the descriptions of a Translation file, given line by line: "package md5" -> all lines of the field
/// Description-LANGUAGE. Of a key that comes twice the first stays.
void parse_translations(const std::function<std::optional<std::string>()>& next_line,
                        const std::string& language, Descriptions& descriptions);

/// The short description, then paragraphs and items of lists, each in one line without its bullet.
std::vector<std::string> paragraphs_of(std::string_view description);

/// A paragraph cut behind . ! and ? where a space and a capital follow.
std::vector<std::string> sentences_of(const std::string& paragraph);

struct TranslatedText {
  std::string package;
  std::string source, target;
};

/// Pairs of the descriptions that both have, in the order of the packages. The short descriptions are a pair;
/// paragraphs are where both sides have as many, sentences likewise. Left out: pairs that are the same text
/// on both sides or stood there before, and those with one side above 2.5 times the other's length.
std::vector<TranslatedText> pair_descriptions(const Descriptions& source, const Descriptions& target,
                                              bool sentences);

/// The pairs of the lists on this machine.
/// @throws DataError if a list is missing, with the command that fetches it; ConfigError for a language that
///         is no name; IoError.
std::vector<TranslatedText> debian_translations(const DebianTranslationsOptions& options);

/// Writes the columns source and target under a header. The part of a pair in a split depends on the name of
/// its package only. @throws ConfigError for another ending or a wrong split; IoError.
std::vector<WrittenFile> write_debian_translations(const std::vector<TranslatedText>& pairs,
                                                   const DebianTranslationsOptions& options);

}  // namespace rondo
