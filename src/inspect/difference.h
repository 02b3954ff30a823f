// Where two models differ: in their files, and in what they compute of a text, from the first number that is
// another to the outputs.
//   std::vector<std::string> said = file_differences(read_model_file("a.rondo"), read_model_file("b.rondo"),
//   0); TraceDifference found = trace_difference(a.trace(text), b.trace(text), /*tolerance=*/0.01);
//   found.first->place;   // "layer 1 in reverse, f"
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "inspect/trace.h"

namespace rondo {

/// A sentence for each part in which the files differ: kind, options, labels, vocabularies, tokenizers,
/// tensors (the first that differs by more than `tolerance`, and the largest difference of all). Quantized
/// weights are compared as the numbers that they stand for. Empty: the same.
std::vector<std::string> file_differences(const ModelFile& a, const ModelFile& b, double tolerance);

/// A number that is not the same in both.
struct ValueDifference {
  std::string place;  ///< "layer 1 in reverse, f", "decoder layer 0, h", "probabilities"
  int64_t step = -1;  ///< in the order of the text; -1: none
  std::string token;  ///< what was read there
  std::string unit;   ///< "unit 17", or the label or token that the number belongs to
  double a = 0, b = 0;

  double size() const;
};

struct TraceDifference {
  /// Why no numbers can be compared, or only some of them; empty: all are.
  std::string note;
  /// The first by more than the tolerance, in the order of computation: layer, direction, step as it is read,
  /// gate, unit.
  std::optional<ValueDifference> first;
  /// The largest of each series that differs at all, in the same order.
  std::vector<ValueDifference> largest;
  /// Outputs in words that differ: "tag of \"Ada\": B-PER and O".
  std::vector<std::string> outputs;

  bool same() const { return note.empty() && !first && outputs.empty(); }
};

/// @param tolerance  0: the same bits.
TraceDifference trace_difference(const TextTrace& a, const TextTrace& b, double tolerance);

std::string difference_text(const TraceDifference& difference, double tolerance);
nlohmann::ordered_json difference_json(const TraceDifference& difference);

}  // namespace rondo
