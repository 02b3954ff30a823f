#include "data/debian_packages.h"

#include <sys/wait.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "base/random.h"
#include "data/csv.h"
#include "data/wording.h"

namespace rondo {

CommandOutput::CommandOutput(const std::string& command) : pipe_(popen(command.c_str(), "r")) {
  if (pipe_ == nullptr) {
    throw_error<IoError>("{}: cannot be started; too many processes?", command.substr(0, command.find(' ')));
  }
}

std::optional<std::string> CommandOutput::next() {
  std::string line;
  std::array<char, 4096> piece;
  while (fgets(piece.data(), piece.size(), pipe_) != nullptr) {
    line += piece.data();
    if (!line.ends_with('\n')) continue;
    line.pop_back();
    return line;
  }
  if (line.empty()) return std::nullopt;
  return line;
}

int CommandOutput::close() {
  if (pipe_ == nullptr) return 0;
  const int status = pclose(std::exchange(pipe_, nullptr));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<PackageShare> parse_split(const std::string& split) {
  if (split.empty()) return {{"", 1.0}};
  const std::vector<std::string> parts = split_list(split, "/");
  std::array<double, 3> sums{};
  double sum = 0;
  bool good = parts.size() == sums.size();
  for (size_t i = 0; good && i < parts.size(); ++i) {
    int share = 0;
    const char* end = parts[i].data() + parts[i].size();
    const auto [stop, error] = std::from_chars(parts[i].data(), end, share);
    good = error == std::errc() && stop == end && share > 0 && share <= 1'000'000;
    sum += share;
    sums[i] = sum;
  }
  if (!good) throw_error<ConfigError>("split must be three whole numbers such as 90/5/5, got '{}'", split);
  return {{"-train", sums[0] / sum}, {"-dev", sums[1] / sum}, {"-test", 1.0}};
}

// FNV-1a, then mixed: FNV's high bits are weak.
double place_of(std::string_view package) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const unsigned char c : package) hash = (hash ^ c) * 0x100000001B3;
  return Stream(hash).uniform(0);
}

std::vector<WrittenFile> write_package_table(const std::array<std::string, 2>& header,
                                             std::span<const PackageCells> rows, const PackageTable& table) {
  const bool tsv = table.output.ends_with(".tsv");
  if (!tsv && !table.output.ends_with(".csv")) {
    throw_error<ConfigError>("output must end in .tsv or .csv, got '{}'", table.output);
  }
  const char separator = tsv ? '\t' : ',';
  const std::string stem = table.output.substr(0, table.output.size() - 4);
  std::vector<WrittenFile> files;
  double begin = 0;
  for (const auto& [suffix, end] : parse_split(table.split)) {
    WrittenFile file{.path = stem + suffix + (tsv ? ".tsv" : ".csv")};
    std::string text = header[0] + separator + header[1] + '\n';
    for (const PackageCells& row : rows) {
      const double place = place_of(row.package);
      if (place < begin || place >= end) continue;
      text += csv_cell(row.first, separator) + separator + csv_cell(row.second, separator) + '\n';
      ++file.rows;
    }
    write_file(file.path, text);
    files.push_back(std::move(file));
    begin = end;
  }
  return files;
}

}  // namespace rondo
