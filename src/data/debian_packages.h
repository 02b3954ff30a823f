// What corpora made of Debian's packages share: output of apt's programs, and a split by package names.
//   CommandOutput lines("apt-cache dumpavail");  while (auto line = lines.next()) { ... }
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rondo {

struct WrittenFile {
  std::string path;
  int64_t rows = 0;
};

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
