// What a doctor finds: how bad it is, what it is, where, and what to do.
//   Diagnosis diagnosis = examine(options, backend);  diagnosis.text();  diagnosis.to_json();
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/options.h"

namespace rondo {

/// problem: figures would be wrong, or the training fails. warning: the model is likely to be worse than it
/// could be. note: worth knowing.
enum class Severity { kProblem, kWarning, kNote };

template <>
inline constexpr auto kNames<Severity> =
    std::array{std::pair{Severity::kProblem, "problem"}, std::pair{Severity::kWarning, "warning"},
               std::pair{Severity::kNote, "note"}};

struct Finding {
  static constexpr size_t kMostPlaces = 3;

  Severity severity = Severity::kNote;
  std::string check;               ///< the name of what was looked for: "overlap", "saturation"
  std::string what;                ///< a sentence with the figures
  std::vector<std::string> where;  ///< "dev.csv:12 is train.csv:844", kMostPlaces at most
  std::string advice;              ///< what to do
};

/// A name and a figure of what was looked at, for people.
struct Measure {
  std::string name, value;
};

struct Diagnosis {
  std::vector<Measure> measures;     ///< what was read: texts, labels, lengths
  std::vector<std::string> checked;  ///< the names of all checks that were made
  std::vector<Finding> findings;

  int64_t count(Severity severity) const;
  /// The worst first; else in the order of the checks.
  void sort();
  /// A paragraph a finding, lines of 100 columns; of a clean corpus that it is clean and what was checked.
  std::string text() const;
  /// {"measures": {...}, "checked": [...], "findings": [{"severity", "check", "what", "where", "advice"}],
  /// "problems": 0, "warnings": 1, "notes": 2}.
  nlohmann::ordered_json to_json() const;
};

/// "12 of 7,600 texts (0.2 %)".
std::string part_of(int64_t count, int64_t all, const std::string& what);
/// 7600 -> "7,600".
std::string grouped(int64_t count);
/// 0.0123 -> "1.2 %"; a share too small for that gets more digits.
std::string percent(double share);

}  // namespace rondo
