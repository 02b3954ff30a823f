#include "serve/metrics.h"

#include <fmt/format.h>

namespace rondo::serve {

namespace {

void head(std::string& text, const char* name, const char* type, const char* help) {
  text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

template <class Number>
void single(std::string& text, const char* name, const char* type, const char* help, Number value) {
  head(text, name, type, help);
  text += fmt::format("{} {}\n", name, value);
}

// A label's value: a backslash, a quote and a line break are escaped.
std::string escaped(const std::string& value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? "\\n" : std::string(1, c);
  }
  return text;
}

/// @param labels  `route="/health",` or nothing.
template <size_t N>
void histogram(std::string& text, const std::string& name, const std::string& labels, const Histogram<N>& of,
               const std::array<double, N>& limits) {
  uint64_t so_far = 0;
  for (size_t i = 0; i < N; ++i) {
    so_far += of.counts[i];
    text += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, labels, limits[i], so_far);
  }
  text += fmt::format("{}_bucket{{{}le=\"+Inf\"}} {}\n", name, labels, of.all);
  const std::string braces = labels.empty() ? "" : fmt::format("{{{}}}", labels.substr(0, labels.size() - 1));
  text += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces, of.sum, name, braces, of.all);
}

void write_models(std::string& text, const std::vector<ModelPointer>& models) {
  head(text, "rondo_model_parameters", "gauge", "Numbers in each model that is served.");
  for (const ModelPointer& model : models) {
    text += fmt::format("rondo_model_parameters{{model=\"{}\",kind=\"{}\"}} {}\n", escaped(model->name()),
                        model->kind(), model->parameters());
  }
}

}  // namespace

void Metrics::count_request(const std::string& route, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{route, status}];
  seconds_[route].add(seconds, kSeconds);
}

void Metrics::count_batch(size_t requests, size_t texts) {
  const std::lock_guard lock(mutex_);
  batch_requests_.add(static_cast<double>(requests), kTexts);
  batch_texts_.add(static_cast<double>(texts), kTexts);
}

void Metrics::count_reload(size_t failures) {
  const std::lock_guard lock(mutex_);
  ++reloads_;
  failed_reloads_ += failures;
}

void Metrics::count_refused_connection() {
  const std::lock_guard lock(mutex_);
  ++refused_connections_;
}

void Metrics::write_requests(std::string& text) const {
  head(text, "rondo_requests_total", "counter", "Requests that were answered, by route and status.");
  for (const auto& [key, count] : requests_) {
    text +=
        fmt::format("rondo_requests_total{{route=\"{}\",status=\"{}\"}} {}\n", key.first, key.second, count);
  }
  head(text, "rondo_request_seconds", "histogram", "Time from a request's last byte to the answer's.");
  for (const auto& [route, seconds] : seconds_) {
    histogram(text, "rondo_request_seconds", fmt::format("route=\"{}\",", route), seconds, kSeconds);
  }
}

void Metrics::write_batches(std::string& text) const {
  head(text, "rondo_batch_requests", "histogram", "Requests that ran together.");
  histogram(text, "rondo_batch_requests", "", batch_requests_, kTexts);
  head(text, "rondo_batch_texts", "histogram", "Texts that ran together.");
  histogram(text, "rondo_batch_texts", "", batch_texts_, kTexts);
}

std::string Metrics::text(const Gauges& gauges) const {
  const std::lock_guard lock(mutex_);
  std::string text;
  write_requests(text);
  write_batches(text);
  single(text, "rondo_queue_length", "gauge", "Requests that wait for a thread.", gauges.waiting);
  single(text, "rondo_generations", "gauge", "Texts that are being written.", gauges.generations);
  single(text, "rondo_sessions", "gauge", "Sessions that are open.", gauges.sessions);
  single(text, "rondo_connections", "gauge", "Connections that are open.", gauges.connections);
  single(text, "rondo_connections_refused_total", "counter", "Connections above the limit.",
         refused_connections_);
  single(text, "rondo_reloads_total", "counter", "Times that the models were loaded anew.", reloads_);
  single(text, "rondo_reload_failures_total", "counter", "Files that failed then; the old model stayed.",
         failed_reloads_);
  write_models(text, gauges.models);
  return text;
}

}  // namespace rondo::serve
