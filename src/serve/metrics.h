// What the server did so far, in Prometheus' text format.
//   metrics.count_request("/v1/predict", 200, 0.0021);  metrics.text(gauges);
// The format: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "serve/models.h"

namespace rondo::serve {

/// What is so just now.
struct Gauges {
  size_t waiting = 0, generations = 0, sessions = 0, connections = 0;
  std::vector<ModelPointer> models;
};

/// How many values were at most so large: as Prometheus has its buckets, each with all below it.
template <size_t N>
struct Histogram {
  std::array<uint64_t, N> counts{};  ///< of values in (limit before, limit]
  uint64_t all = 0;
  double sum = 0;

  void add(double value, const std::array<double, N>& limits) {
    for (size_t i = 0; i < N; ++i) {
      if (value > limits[i]) continue;
      ++counts[i];
      break;
    }
    ++all;
    sum += value;
  }
};

class Metrics {
 public:
  static constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                      0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  static constexpr std::array<double, 9> kTexts = {1, 2, 4, 8, 16, 32, 64, 128, 256};

  /// @param route  of the table of routes, never what a client wrote: each is a line for ever.
  void count_request(const std::string& route, int status, double seconds);
  void count_batch(size_t requests, size_t texts);
  void count_reload(size_t failures);
  void count_refused_connection();

  std::string text(const Gauges& gauges) const;

 private:
  void write_requests(std::string& text) const;
  void write_batches(std::string& text) const;

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;
  std::map<std::string, Histogram<kSeconds.size()>> seconds_;
  Histogram<kTexts.size()> batch_requests_, batch_texts_;
  uint64_t reloads_ = 0, failed_reloads_ = 0, refused_connections_ = 0;
};

}  // namespace rondo::serve
