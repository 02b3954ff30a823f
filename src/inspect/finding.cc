#include "inspect/finding.h"

#include <fmt/format.h>

#include <algorithm>

namespace rondo {

namespace {

constexpr size_t kColumns = 100;

// `text` in lines, each behind `indent` spaces.
std::string wrapped(const std::string& text, size_t indent) {
  std::string result, line;
  const auto end_line = [&] {
    if (!line.empty()) result += std::string(indent, ' ') + line + "\n";
    line.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!line.empty() && indent + line.size() + 1 + word.size() > kColumns) end_line();
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  end_line();
  return result;
}

std::string paragraph(const Finding& finding) {
  std::string head = name_of(finding.severity);
  std::ranges::transform(head, head.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  std::string text = wrapped(fmt::format("{} [{}] {}", head, finding.check, finding.what), 0);
  for (const std::string& place : finding.where) text += "  " + place + "\n";
  return text + wrapped("What to do: " + finding.advice, 2) + "\n";
}

std::string counted(int64_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

int64_t Diagnosis::count(Severity severity) const {
  return std::ranges::count(findings, severity, &Finding::severity);
}

void Diagnosis::sort() {
  std::ranges::stable_sort(findings, {}, &Finding::severity);
  for (Finding& finding : findings) {
    finding.where.resize(std::min(finding.where.size(), Finding::kMostPlaces));
  }
}

std::string Diagnosis::text() const {
  std::string text;
  size_t width = 0;
  for (const Measure& measure : measures) width = std::max(width, measure.name.size());
  for (const Measure& measure : measures) {
    text += fmt::format("{:<{}}  {}\n", measure.name, width, measure.value);
  }
  text += "\n";
  for (const Finding& finding : findings) text += paragraph(finding);
  const std::string all = fmt::format("{}", fmt::join(checked, ", "));
  if (findings.empty()) return text + wrapped("Clean: nothing was found. Checked: " + all + ".", 0);
  return text + wrapped(fmt::format("{}, {}, {}. Checked: {}.", counted(count(Severity::kProblem), "problem"),
                                    counted(count(Severity::kWarning), "warning"),
                                    counted(count(Severity::kNote), "note"), all),
                        0);
}

nlohmann::ordered_json Diagnosis::to_json() const {
  nlohmann::ordered_json json;
  json["measures"] = nlohmann::ordered_json::object();
  for (const Measure& measure : measures) json["measures"][measure.name] = measure.value;
  json["checked"] = checked;
  json["findings"] = nlohmann::ordered_json::array();
  for (const Finding& finding : findings) {
    json["findings"].push_back({{"severity", name_of(finding.severity)},
                                {"check", finding.check},
                                {"what", finding.what},
                                {"where", finding.where},
                                {"advice", finding.advice}});
  }
  json["problems"] = count(Severity::kProblem);
  json["warnings"] = count(Severity::kWarning);
  json["notes"] = count(Severity::kNote);
  return json;
}

std::string grouped(int64_t count) {
  std::string text = std::to_string(count);
  for (auto at = static_cast<int64_t>(text.size()) - 3; at > (count < 0 ? 1 : 0); at -= 3) {
    text.insert(static_cast<size_t>(at), ",");
  }
  return text;
}

std::string percent(double share) {
  const double value = 100 * share;
  if (value > 0 && value < 0.095) return fmt::format("{:.2g} %", value);
  return fmt::format("{:.1f} %", value);
}

std::string part_of(int64_t count, int64_t all, const std::string& what) {
  return fmt::format("{} of {} {} ({})", grouped(count), grouped(all), what,
                     percent(static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, all))));
}

}  // namespace rondo
