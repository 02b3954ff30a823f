#include "inspect/layer_traces.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace rondo {

namespace {

/// All that one direction of one layer (of a grid: one dimension) left: one trace, or one a stage.
struct Traces {
  std::vector<const RecurrentTrace*> all;
  const TracedPart& part;

  const RecurrentTrace& first() const { return *all.front(); }
  int64_t steps() const { return static_cast<int64_t>(part.rows.size()); }
  bool staged() const { return first().stage >= 0; }
  bool belongs(const RecurrentTrace& trace) const {
    return trace.layer == first().layer && trace.reverse == first().reverse &&
           trace.dimension == first().dimension;
  }
  /// What holds step t of the text, and in which row. A stage is a step in the direction of reading.
  const RecurrentTrace& at(int64_t t) const {
    if (!staged()) return first();
    return *all[static_cast<size_t>(first().reverse ? steps() - 1 - t : t)];
  }
  int64_t row(int64_t t) const { return staged() ? 0 : part.rows[static_cast<size_t>(t)]; }

  /// Some columns of a field of each step [T, columns].
  Tensor columns(Tensor RecurrentTrace::*field, int64_t begin, int64_t count) const {
    const Tensor values({steps(), count});
    for (int64_t t = 0; t < steps(); ++t) {
      const float* from = (at(t).*field).matrix().row<float>(row(t)) + begin;
      std::copy_n(from, count, values.data<float>() + t * count);
    }
    return values;
  }
  Tensor whole(Tensor RecurrentTrace::*field) const {
    return first().*field ? columns(field, 0, (first().*field).dim(1)) : Tensor();
  }
};

std::vector<Traces> grouped(const std::vector<RecurrentTrace>& traces, const TracedPart& part) {
  std::vector<Traces> groups;
  for (const RecurrentTrace& trace : traces) {
    const auto found = std::ranges::find_if(groups, [&](const Traces& g) { return g.belongs(trace); });
    if (found == groups.end()) {
      groups.push_back({.all = {&trace}, .part = part});
    } else {
      found->all.push_back(&trace);
    }
  }
  return groups;
}

Tensor one_minus(const Tensor& values) {
  const Tensor result = values.clone();
  for (float& value : result.values<float>()) value = 1 - value;
  return result;
}

/// A name, and the block of a pass's gates that holds it (CellKind::saved_blocks), -1: none.
struct NamedBlock {
  const char* name;
  int64_t block;
};

/// In the order in which they are read.
std::vector<NamedBlock> named_blocks(const CellKind& kind) {
  if (kind.cell == Cell::kRnn) return {};  // its one block is h' itself
  const LstmBlocks at = kind.lstm();
  if (kind.cell == Cell::kLstm) return {{"i", at.i}, {"f", at.f}, {"o", at.o}, {"g", at.g}};
  const int64_t n = kind.plain_blocks();
  return {{"r", kind.coupled ? -1 : 0}, {"z", n - 1}, {"n", n}};
}

SeriesRole role_of(const std::string& name) {
  return name == "g" || name == "n" ? SeriesRole::kCandidate : SeriesRole::kGate;
}

std::vector<TracedSeries> series_of(const Traces& traces, const CellKind& kind) {
  const int64_t hidden = traces.first().gates.dim(1) / kind.saved_blocks();
  std::vector<TracedSeries> series;
  for (const auto& [name, block] : named_blocks(kind)) {
    if (block < 0) continue;
    series.push_back({name, role_of(name), traces.columns(&RecurrentTrace::gates, block * hidden, hidden)});
  }
  if (kind.coupled) {  // of f, of z
    const char* name = kind.cell == Cell::kGru ? "r" : "i";
    series.insert(series.begin(), {name, SeriesRole::kGate, one_minus(series.front().values)});
  }
  if (kind.has_cell_state()) {
    series.push_back({"c", SeriesRole::kCell, traces.whole(&RecurrentTrace::cells)});
  }
  return series;
}

LayerTrace layer_trace(const Traces& traces) {
  const RecurrentOptions& options = traces.part.options;
  const RecurrentTrace& first = traces.first();
  const bool grid = options.is_grid();
  LayerTrace layer{.part = traces.part.name,
                   .layer = first.layer,
                   .reverse = first.reverse,
                   .dimension = grid ? first.dimension : -1};
  layer.series = series_of(traces, traced_kind(options, layer.dimension));
  // Directions stand side by side, but those of a grid each by itself.
  const int64_t width = grid ? first.hidden.dim(1) : options.output_of(first.layer);
  const int64_t begin = !grid && first.reverse ? width : 0;
  layer.series.push_back({"h", SeriesRole::kHidden, traces.columns(&RecurrentTrace::hidden, begin, width)});
  layer.d_states = traces.whole(&RecurrentTrace::d_states);
  if (grid) return layer;
  layer.input = traces.whole(&RecurrentTrace::input);
  layer.h0 = first.h0;
  layer.c0 = first.c0;
  return layer;
}

}  // namespace

std::vector<int64_t> text_rows(int64_t steps) {
  std::vector<int64_t> rows(static_cast<size_t>(steps));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

CellKind traced_kind(const RecurrentOptions& options, int64_t dimension) {
  if (!options.is_grid()) return options.kind();
  const GridOptions& grid = options.grid;
  return kind_along(dimension == 0 ? grid.along_depth : grid.along_time, grid.output_gate);
}

std::vector<LayerTrace> layer_traces(const std::vector<RecurrentTrace>& traces, const TracedPart& part) {
  std::vector<LayerTrace> layers;
  for (const Traces& group : grouped(traces, part)) layers.push_back(layer_trace(group));
  return layers;
}

void take_gradients(std::vector<LayerTrace>& layers, std::vector<LayerTrace> recorded) {
  for (size_t i = 0; i < layers.size(); ++i) layers[i].d_states = std::move(recorded.at(i).d_states);
}

}  // namespace rondo
