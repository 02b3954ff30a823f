#include "inspect/trace_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/options.h"

namespace rondo {

namespace {

using OrderedJson = nlohmann::ordered_json;

static_assert(std::endian::native == std::endian::little, "values are written as they lie in memory");

constexpr double kShut = 0.1, kOpen = 0.9;  // Karpathy, Johnson, Fei-Fei 2015: left and right saturated

std::string base64(std::span<const float> values) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  const size_t count = values.size_bytes();
  std::string text;
  text.reserve((count + 2) / 3 * 4);
  for (size_t i = 0; i < count; i += 3) {
    const size_t left = std::min<size_t>(3, count - i);
    uint32_t group = static_cast<uint32_t>(bytes[i]) << 16;
    if (left > 1) group |= static_cast<uint32_t>(bytes[i + 1]) << 8;
    if (left > 2) group |= bytes[i + 2];
    for (size_t k = 0; k < 4; ++k) text += k <= left ? kLetters[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

std::string base64(const Tensor& values) { return base64(values.values<float>()); }

int64_t width_of(const Tensor& values) { return values.shape().empty() ? 0 : values.shape().back(); }
int64_t steps_of(const Tensor& values) { return values.shape().empty() ? 0 : values.shape().front(); }

// [T, H] with some of its columns.
std::vector<float> chosen_columns(const Tensor& values, const std::vector<int64_t>& columns) {
  const int64_t width = width_of(values);
  std::vector<float> chosen;
  chosen.reserve(steps_of(values) * columns.size());
  for (int64_t t = 0; t < steps_of(values); ++t) {
    for (const int64_t column : columns) chosen.push_back(values.data<float>()[t * width + column]);
  }
  return chosen;
}

// Of every unit the share of steps at which `holds`.
template <class Test>
std::vector<float> shares(const Tensor& values, Test holds) {
  const int64_t width = width_of(values), steps = steps_of(values);
  std::vector<float> share(width);
  for (int64_t unit = 0; unit < width; ++unit) {
    int64_t count = 0;
    for (int64_t t = 0; t < steps; ++t) count += holds(values.data<float>()[t * width + unit]) ? 1 : 0;
    share[unit] = steps > 0 ? static_cast<float>(count) / static_cast<float>(steps) : 0;
  }
  return share;
}

OrderedJson series_json(const TracedSeries& series, const std::vector<int64_t>& kept) {
  OrderedJson json{{"name", series.name}, {"role", name_of(series.role)}};
  if (static_cast<int64_t>(kept.size()) < width_of(series.values)) {
    json["units"] = kept;
    json["values"] = base64(chosen_columns(series.values, kept));
  } else {
    json["values"] = base64(series.values);
  }
  if (series.role == SeriesRole::kGate) {
    json["low"] = base64(shares(series.values, [](float value) { return value < kShut; }));
    json["high"] = base64(shares(series.values, [](float value) { return value > kOpen; }));
  }
  return json;
}

double dot(const float* a, const float* b, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

// Of each row of [T, E] its norm.
OrderedJson norms(const Tensor& rows) {
  OrderedJson list = OrderedJson::array();
  const int64_t width = width_of(rows);
  for (int64_t t = 0; t < steps_of(rows); ++t) {
    const float* row = rows.data<float>() + t * width;
    list.push_back(shortest(static_cast<float>(std::sqrt(dot(row, row, width)))));
  }
  return list;
}

OrderedJson products(const Tensor& a, const Tensor& b) {
  OrderedJson list = OrderedJson::array();
  const int64_t width = width_of(a);
  for (int64_t t = 0; t < steps_of(a); ++t) {
    const int64_t at = t * width;
    list.push_back(shortest(static_cast<float>(dot(a.data<float>() + at, b.data<float>() + at, width))));
  }
  return list;
}

// The series whose units are ranked: cells, or hidden states.
const TracedSeries& memory_of(const LayerTrace& layer, int64_t width) {
  const TracedSeries* best = nullptr;
  for (const TracedSeries& one : layer.series) {
    if (width_of(one.values) != width) continue;
    if (best == nullptr || one.role == SeriesRole::kCell || best->role == SeriesRole::kGate) best = &one;
    if (one.role == SeriesRole::kCell) break;
  }
  return *best;
}

const char* side_of(const LayerTrace& layer) {
  if (layer.part == "decoder") return "target";
  return layer.part == "characters" ? "characters" : "source";
}

OrderedJson layer_json(const LayerTrace& layer, int64_t units, bool gradient) {
  std::map<int64_t, std::vector<int64_t>> kept;  // by width: a projected state has units of its own
  OrderedJson series = OrderedJson::array();
  int64_t cells = 0;
  for (const TracedSeries& one : layer.series) {
    const int64_t width = width_of(one.values);
    cells = std::max(cells, width);
    if (!kept.contains(width)) kept[width] = liveliest_units(memory_of(layer, width).values, units);
    series.push_back(series_json(one, kept[width]));
  }
  OrderedJson json{{"part", layer.part},           {"layer", layer.layer}, {"reverse", layer.reverse},
                   {"dimension", layer.dimension}, {"units", cells},       {"side", side_of(layer)},
                   {"series", std::move(series)}};
  if (gradient && layer.d_states) json["gradient_norms"] = norms(layer.d_states);
  return json;
}

OrderedJson alternatives_json(const TextTrace& trace) {
  OrderedJson steps = OrderedJson::array();
  for (const std::vector<Alternative>& step : trace.alternatives) {
    OrderedJson list = OrderedJson::array();
    for (const Alternative& one : step)
      list.push_back({{"token", one.token}, {"probability", one.probability}});
    steps.push_back(std::move(list));
  }
  return steps;
}

OrderedJson beam_json(const std::vector<BeamStep>& beam) {
  OrderedJson steps = OrderedJson::array();
  for (const BeamStep& step : beam) {
    OrderedJson kept = OrderedJson::array();
    for (const KeptHypothesis& one : step) {
      kept.push_back({{"parent", one.parent},
                      {"token", one.token},
                      {"log_probability", one.log_probability},
                      {"score", one.score},
                      {"finished", one.finished}});
    }
    steps.push_back(std::move(kept));
  }
  return steps;
}

// What only models of some kinds have.
void add_outputs(const TextTrace& trace, OrderedJson& json) {
  if (!trace.characters.empty()) {
    json["characters"] = trace.characters;
    json["character_ends"] = trace.character_ends;
  }
  if (!trace.labels.empty()) json["labels"] = trace.labels;
  if (trace.kind == "tagger") json["tags"] = trace.tags;
  if (trace.predictions) json["predictions"] = base64(trace.predictions);
  if (trace.output) json["output"] = base64(trace.output);
  if (trace.attention) json["attention"] = base64(trace.attention);
  if (!trace.alternatives.empty()) {
    json["alternatives"] = alternatives_json(trace);
    json["next_probabilities"] = trace.next_probabilities;
  }
  if (trace.kind == "translator") {
    json["translation"] = trace.translation;
    json["beam"] = beam_json(trace.beam);
  }
}

void add_gradient(const TextTrace& trace, OrderedJson& json) {
  if (trace.gradient_of.empty()) return;
  json["gradient_of"] = trace.gradient_of;
  json["gradient_value"] = trace.gradient_value;
  json["connectivity"] = norms(trace.d_tokens);
  json["contribution"] = products(trace.embeddings, trace.d_tokens);
  if (trace.d_target_tokens) json["target_connectivity"] = norms(trace.d_target_tokens);
}

OrderedJson entry_json(const TextTrace& trace, int64_t units) {
  OrderedJson json{{"model", trace.model},
                   {"kind", trace.kind},
                   {"cell", trace.cell},
                   {"precision", trace.precision},
                   {"text", trace.text},
                   {"tokens", trace.tokens},
                   {"target_tokens", trace.target_tokens}};
  json["layers"] = OrderedJson::array();
  for (const LayerTrace& layer : trace.layers) {
    json["layers"].push_back(layer_json(layer, units, !trace.gradient_of.empty()));
  }
  add_outputs(trace, json);
  add_gradient(trace, json);
  return json;
}

}  // namespace

std::vector<int64_t> liveliest_units(const Tensor& values, int64_t units) {
  const int64_t width = width_of(values), steps = steps_of(values);
  std::vector<int64_t> places(width);
  std::iota(places.begin(), places.end(), 0);
  if (units <= 0 || units >= width) return places;
  std::vector<double> variance(width);
  for (int64_t unit = 0; unit < width; ++unit) {
    double sum = 0, squares = 0;
    for (int64_t t = 0; t < steps; ++t) {
      const double value = values.data<float>()[t * width + unit];
      sum += value;
      squares += value * value;
    }
    variance[unit] = steps > 0 ? squares - sum * sum / static_cast<double>(steps) : 0;
  }
  std::ranges::stable_sort(places, [&](int64_t a, int64_t b) { return variance[a] > variance[b]; });
  places.resize(units);
  std::ranges::sort(places);
  return places;
}

int64_t series_bytes(const LayerTrace& layer, int64_t units) {
  constexpr int64_t kNumber = 6;  // of a unit that is there, with its comma
  int64_t bytes = 0;
  for (const TracedSeries& one : layer.series) {
    const int64_t width = width_of(one.values), kept = units > 0 ? std::min(units, width) : width;
    const int64_t floats = steps_of(one.values) * kept * static_cast<int64_t>(sizeof(float));
    bytes += (floats + 2) / 3 * 4 + (kept < width ? kept * kNumber : 0);
  }
  return bytes;
}

std::string traces_json(std::span<const TextTrace> traces, const TraceJsonOptions& options) {
  OrderedJson json{{"version", 1}};
  if (!options.notes.empty()) json["notes"] = options.notes;
  json["entries"] = OrderedJson::array();
  for (const TextTrace& trace : traces) json["entries"].push_back(entry_json(trace, options.units));
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

}  // namespace rondo
