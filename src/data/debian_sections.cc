#include "data/debian_sections.h"

#include <map>
#include <set>
#include <utility>

#include "base/errors.h"
#include "base/files.h"
#include "data/csv.h"
#include "data/debian_packages.h"
#include "data/wording.h"
#include "text/unicode.h"

namespace rondo {
namespace {

struct Field {
  std::string_view name;
  std::string_view value;
};

// A field's first line; nothing for the lines that continue a field.
std::optional<Field> parse_field(std::string_view line) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || line[0] == ' ' || line[0] == '\t') return std::nullopt;
  return Field{line.substr(0, colon), trim(line.substr(colon + 1))};
}

void read_field(std::string_view line, PackageRow& row) {
  const std::optional<Field> field = parse_field(line);
  if (!field) return;
  if (field->name == "Package") row.package = field->value;
  if (field->name == "Section") {
    const size_t slash = field->value.rfind('/');
    row.section = field->value.substr(slash == std::string_view::npos ? 0 : slash + 1);
  }
  const bool english = field->name == "Description" || field->name == "Description-en";
  if (english && row.description.empty()) row.description = replace_invalid_utf8(field->value);
}

}  // namespace

std::vector<PackageRow> parse_package_index(const std::function<std::optional<std::string>()>& next_line) {
  std::map<std::string, PackageRow> packages;
  PackageRow row;
  for (bool ended = false; !ended;) {
    const std::optional<std::string> line = next_line();
    ended = !line;
    if (line && !line->empty()) {
      read_field(*line, row);
      continue;
    }
    if (!row.package.empty() && !row.section.empty() && !row.description.empty()) {
      packages.try_emplace(row.package, row);
    }
    row = {};
  }
  std::vector<PackageRow> rows;
  std::set<std::pair<std::string, std::string>> seen;
  for (auto& [name, package] : packages) {
    if (seen.emplace(package.section, package.description).second) rows.push_back(std::move(package));
  }
  return rows;
}

std::vector<PackageRow> debian_sections() {
  CommandOutput lines("LC_ALL=C apt-cache dumpavail 2>/dev/null");
  std::vector<PackageRow> rows = parse_package_index([&] { return lines.next(); });
  const int status = lines.close();
  if (status == 127) {
    throw_error<IoError>(
        "apt-cache: not found; this corpus is made on Debian, Ubuntu or another system with apt");
  }
  if (status != 0) throw_error<IoError>("apt-cache dumpavail: exit status {}; try it in a shell", status);
  // Without fetched lists apt still knows the packages that are installed: some hundreds.
  constexpr size_t kFewest = 5000;
  if (rows.size() < kFewest) {
    throw_error<DataError>(
        "apt-cache dumpavail: {} packages, expected tens of thousands; run: apt-get update", rows.size());
  }
  return rows;
}

std::vector<WrittenFile> write_debian_sections(const std::vector<PackageRow>& rows,
                                               const DebianSectionsOptions& options) {
  std::vector<PackageCells> cells;
  for (const PackageRow& row : rows) cells.push_back({row.package, row.section, row.description});
  return write_package_table({"section", "description"}, cells,
                             {.output = options.output, .split = options.split});
}

}  // namespace rondo
