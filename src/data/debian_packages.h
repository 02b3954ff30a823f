// What corpora made of Debian's packages share: output of apt's programs, and a split by package names.
//   CommandOutput lines("apt-cache dumpavail");  while (auto line = lines.next()) { ... }
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

struct WrittenFile {
  std::string path;
  int64_t rows = 0;
};

/// Two cells of a table, and the package that they are of.
struct PackageCells {
  std::string_view package, first, second;
};

struct PackageTable {
  std::string output;  ///< .tsv or .csv
  std::string split;   ///< as parse_split() reads it
};

/// Writes the rows under a header, with a split NAME-train, NAME-dev and NAME-test instead of NAME. The part
/// of a row depends on the name of its package only. @throws ConfigError for another ending or a wrong split;
/// IoError.
std::vector<WrittenFile> write_package_table(const std::array<std::string, 2>& header,
                                             std::span<const PackageCells> rows, const PackageTable& table);

/// What a shell command prints, line by line.
class CommandOutput {
 public:
  /// @throws IoError if no process can be started.
  explicit CommandOutput(const std::string& command);
  ~CommandOutput() { close(); }
  CommandOutput(const CommandOutput&) = delete;
  CommandOutput& operator=(const CommandOutput&) = delete;

  std::optional<std::string> next();
  /// The command's exit status; -1 if a signal ended it.
  int close();

 private:
  FILE* pipe_;
};

/// Part of the packages: those whose place_of() is below `end`, and not in a part before.
struct PackageShare {
  const char* suffix;  ///< of the file's name: "-train"
  double end;
};

/// "90/5/5" as train, dev and test; "" as one part. @throws ConfigError.
std::vector<PackageShare> parse_split(const std::string& split);

/// A number in [0, 1) from the package's name alone: a newer index moves nothing from training to test.
double place_of(std::string_view package);

}  // namespace rondo
