// The public struct rondo::Trace.
#include <cmath>

#include "base/errors.h"
#include "inspect/trace.h"
#include "rondo/trace.h"
#include "tensor/device.h"

namespace rondo {

namespace {

TraceSeries public_series(const LayerTrace& layer, const TracedSeries& series) {
  const std::span<float> values = series.values.values<float>();
  return {.part = layer.part,
          .layer = layer.layer,
          .reverse = layer.reverse,
          .dimension = layer.dimension,
          .name = series.name,
          .steps = static_cast<size_t>(series.values.dim(0)),
          .units = static_cast<size_t>(series.values.dim(1)),
          .values = {values.begin(), values.end()}};
}

void add_gradient(const TextTrace& traced, Trace& trace) {
  trace.gradient_of = traced.gradient_of;
  const int64_t width = traced.d_tokens.dim(1);
  for (int64_t t = 0; t < traced.d_tokens.dim(0); ++t) {
    double squares = 0, product = 0;
    for (int64_t e = t * width; e < (t + 1) * width; ++e) {
      const double gradient = traced.d_tokens.data<float>()[e];
      squares += gradient * gradient;
      product += gradient * traced.embeddings.data<float>()[e];
    }
    trace.connectivity.push_back(static_cast<float>(std::sqrt(squares)));
    trace.contribution.push_back(static_cast<float>(product));
  }
}

}  // namespace

float TraceSeries::at(size_t step, size_t unit) const {
  if (step >= steps || unit >= units) {
    throw_error<ShapeError>("trace: step {} and unit {} of {} steps and {} units", step, unit, steps, units);
  }
  return values[step * units + unit];
}

Trace Trace::of(const std::string& path, const std::string& text, bool gradient) {
  const auto backend = open_device("cpu", 0);
  TraceOptions options{.alternatives = 1, .max_prefixes = 0};
  if (gradient) options.gradient = GradientRequest{};
  const TextTrace traced = Tracer(path, *backend, {}).trace(text, options);
  Trace trace{.tokens = traced.tokens, .target_tokens = traced.target_tokens};
  for (const LayerTrace& layer : traced.layers) {
    for (const TracedSeries& series : layer.series) trace.series.push_back(public_series(layer, series));
  }
  if (gradient) add_gradient(traced, trace);
  return trace;
}

const TraceSeries& Trace::find(const std::string& name, int64_t layer, bool reverse,
                               const std::string& part) const {
  std::string there;
  for (const TraceSeries& one : series) {
    if (one.layer == layer && one.reverse == reverse && one.part == part) {
      if (one.name == name) return one;
      there += " " + one.name;
    }
  }
  throw_error<ConfigError>("trace: no series {} in {}layer {}{}; {}", name, part.empty() ? "" : part + " ",
                           layer, reverse ? " in reverse" : "",
                           there.empty() ? "there is no such layer, direction or part" : "it has" + there);
}

}  // namespace rondo
