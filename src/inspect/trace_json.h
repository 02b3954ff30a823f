// Traces as JSON: what `rondo look --json` writes and what the page of figures reads.
//   std::string json = traces_json(traces, {.units = 64});
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "inspect/trace.h"

namespace rondo {

struct TraceJsonOptions {
  int64_t units = 0;  ///< most units of each layer, those that vary most along the text; 0: all
  std::vector<std::string> notes = {};  ///< sentences for the reader of the page
};

/// {"version": 1, "notes": [..], "entries": [..]}, an entry a trace:
///   model, kind, cell, precision, text, tokens, target_tokens, characters, character_ends, labels, tags,
///   translation layers: [{part, layer, reverse, dimension, units, side, series, gradient_norms}], where
///   `side` says what its steps
///     are ("source": tokens, "target": target_tokens, "characters"), `units` is the width of its gates, and
///     each of `series` is {name, role, values, and: units: the numbers of those that are there, if some are
///     left out; low, high: of gates, for every unit, the share of steps below 0.1 and above 0.9}
///   predictions [T, K], output [K], attention [rows, T], alternatives, next_probabilities, beam
///   gradient_of, gradient_value, connectivity [T] (norm of the gradient of each token's embedding),
///   contribution [T] (the
///     embedding times it), target_connectivity: with a gradient
/// What a model of this kind has not is absent. values, low, high, predictions, output and attention are
/// base64 of float32, little-endian, row-major, and so exact; lists of numbers are the shortest decimals of
/// float32. Bytes that are not UTF-8 become U+FFFD.
std::string traces_json(std::span<const TextTrace> traces, const TraceJsonOptions& options = {});

/// Bytes of the series of one layer in JSON with at most `units` units.
int64_t series_bytes(const LayerTrace& layer, int64_t units);

/// The places, ascending, of the `units` columns of [T, H] that vary most; all for 0.
std::vector<int64_t> liveliest_units(const Tensor& values, int64_t units);

}  // namespace rondo
