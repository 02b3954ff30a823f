// A labelled corpus that any Debian or Ubuntu machine carries: one-line package descriptions, by section.
//   auto rows = debian_sections();  write_debian_sections(rows, {.output = "sections.tsv"});
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/debian_packages.h"

namespace rondo {

struct PackageRow {
  std::string package;
  std::string section;      ///< without its area: "contrib/games" is "games"
  std::string description;  ///< the first line
};

/// The rows of a package index (`apt-cache dumpavail`, a Packages file), given line by line: one a package
/// name, the first that has a section and a description, in the order of the names; of equal (section,
/// description) pairs the first name stays.
std::vector<PackageRow> parse_package_index(const std::function<std::optional<std::string>()>& next_line);

/// The rows of this machine's package index.
/// @throws IoError if there is no apt-cache; DataError if its index is empty: both say what to do.
std::vector<PackageRow> debian_sections();

struct DebianSectionsOptions {
  std::string output = "debian-sections.tsv";
  std::string split;

  template <class Visitor>
  void visit(Visitor& v) {
    v("output", output, "file to write, .tsv or .csv; with --split NAME-train, NAME-dev and NAME-test");
    v("split", split, "shares of train, dev and test files, such as 90/5/5; empty: one file");
  }
};

/// Writes the columns section and description under a header. A row's part in a split depends on its
/// package name only, so that a newer index moves no row from training to test.
/// @throws ConfigError for another ending or a wrong split; IoError.
std::vector<WrittenFile> write_debian_sections(const std::vector<PackageRow>& rows,
                                               const DebianSectionsOptions& options);

}  // namespace rondo
