#include "layers/gate_statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace rondo {

namespace {

/// A block of H columns of a trace's gates that is a gate.
struct GateColumns {
  const char* name;
  int64_t block;
};

std::vector<GateColumns> lstm_gates(const LstmBlocks& at) {
  std::vector<GateColumns> gates;
  for (const GateColumns& gate : {GateColumns{"i", at.i}, {"f", at.f}, {"o", at.o}}) {
    if (gate.block >= 0) gates.push_back(gate);
  }
  return gates;
}

// The tanh candidates (g, n) are no gates. Of an rnn the state itself is what saturates, if a tanh bounds it.
std::vector<GateColumns> gates_of(const CellKind& kind) {
  switch (kind.cell) {
    case Cell::kLstm:
      return lstm_gates(kind.lstm());
    case Cell::kGru:
      if (kind.coupled) return {{"z", 0}};
      return {{"r", 0}, {"z", 1}};
    case Cell::kRnn:
      if (kind.bounded()) return {{"h", 0}};
      return {};
    case Cell::kGrid:
      break;
  }
  return {};
}

// What computed this trace.
CellKind kind_of(const RecurrentTrace& trace, const RecurrentOptions& options) {
  if (!options.is_grid() || trace.dimension != 0) return options.kind();
  return kind_along(options.grid.along_depth, options.grid.output_gate);
}

void count(const RecurrentTrace& trace, const CellKind& kind, std::vector<GateCounts>& counts) {
  const int64_t rows = trace.gates.dim(0), columns = trace.gates.dim(1);
  const int64_t hidden = columns / kind.saved_blocks();
  const float low = kind.cell == Cell::kRnn ? -GateStatistics::kHigh : GateStatistics::kLow;
  size_t next = 0;
  for (const GateColumns& gate : gates_of(kind)) {
    if (counts.size() == next) {
      const std::vector<int64_t> none(static_cast<size_t>(hidden), 0);
      counts.push_back({gate.name, none, none});
    }
    GateCounts& into = counts[next++];
    for (int64_t r = 0; r < rows; ++r) {
      const float* values = trace.gates.data<float>() + r * columns + gate.block * hidden;
      for (int64_t u = 0; u < hidden; ++u) {
        into.low[static_cast<size_t>(u)] += values[u] < low;
        into.high[static_cast<size_t>(u)] += values[u] > GateStatistics::kHigh;
      }
    }
  }
}

// @param width  columns of this direction's own hidden state; both directions may stand side by side.
void sum_hidden(const RecurrentTrace& trace, int64_t width, DirectionStatistics& into) {
  const int64_t columns = trace.hidden.dim(1);
  const float* own = trace.hidden.data<float>() + (trace.reverse && columns > width ? width : 0);
  if (into.first.empty()) {
    into.first.assign(own, own + width);
    into.sum.assign(static_cast<size_t>(width), 0);
    into.sum_of_squares = into.sum;
  }
  for (int64_t r = 0; r < trace.hidden.dim(0); ++r) {
    for (int64_t u = 0; u < width; ++u) {
      const auto unit = static_cast<size_t>(u);
      const double moved = static_cast<double>(own[r * columns + u]) - into.first[unit];
      into.sum[unit] += moved;
      into.sum_of_squares[unit] += moved * moved;
    }
  }
}

}  // namespace

std::string GatePlace::words() const {
  const char* along = dimension < 0 ? "" : dimension == 0 ? ", along depth" : ", along time";
  return fmt::format("{}{}layer {}{}{}", part, part.empty() ? "" : " ", layer + 1,
                     reverse ? ", backwards" : "", along);
}

double DirectionStatistics::variance(int64_t unit) const {
  if (rows == 0) return 0;
  const auto u = static_cast<size_t>(unit);
  const double mean = sum[u] / static_cast<double>(rows);
  return std::max(0.0, sum_of_squares[u] / static_cast<double>(rows) - mean * mean);
}

DirectionStatistics& GateStatistics::at(const GatePlace& place) {
  for (DirectionStatistics& direction : directions_) {
    if (direction.place == place) return direction;
  }
  directions_.push_back({.place = place, .gates = {}, .first = {}, .sum = {}, .sum_of_squares = {}});
  return directions_.back();
}

void GateStatistics::add(std::span<const RecurrentTrace> traces, const RecurrentOptions& options,
                         const std::string& part) {
  for (const RecurrentTrace& trace : traces) {
    if (!trace.gates || trace.gates.dim(0) == 0) continue;
    DirectionStatistics& direction = at({.part = part,
                                         .layer = trace.layer,
                                         .reverse = trace.reverse,
                                         .dimension = options.is_grid() ? trace.dimension : -1});
    direction.rows += trace.gates.dim(0);
    count(trace, kind_of(trace, options), direction.gates);
    sum_hidden(trace, options.is_grid() ? options.hidden : options.output_of(trace.layer), direction);
  }
}

std::vector<GateShare> GateStatistics::shares() const {
  std::vector<GateShare> shares;
  for (const DirectionStatistics& direction : directions_) {
    for (const GateCounts& gate : direction.gates) {
      const double all = static_cast<double>(direction.rows) * static_cast<double>(gate.low.size());
      const auto sum = [](const std::vector<int64_t>& counts) {
        return static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0}));
      };
      shares.push_back({direction.place, gate.gate, sum(gate.low) / all, sum(gate.high) / all});
    }
  }
  return shares;
}

}  // namespace rondo
