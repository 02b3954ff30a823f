#include "diagnostics/gradient_commands.h"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "diagnostics/clipping.h"
#include "tensor/device.h"

namespace rondo::diagnostics {

namespace {

// Four digits: what a figure over seeds is good for, and what makes files of pictures small. JSON has no word
// for infinite and NaN; nlohmann writes null.
double rounded(double value) { return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr); }

void print_tsv(const GradientProfile& profile, int64_t every) {
  const std::string loss =
      profile.losses.empty() ? "-" : fmt::format("{:.4g}", quartiles_of(profile.losses).median);
  for (size_t k = 0; k < profile.after.size(); k += static_cast<size_t>(every)) {
    const Quartiles& q = profile.after[k];
    std::printf("%lld\t%s\t%zu\t%.4g\t%.4g\t%.4g\n", static_cast<long long>(profile.update), loss.c_str(), k,
                q.lower, q.median, q.upper);
  }
}

void print_json(const GradientProfile& profile) {
  nlohmann::ordered_json record{{"update", profile.update}, {"losses", nlohmann::json::array()}};
  for (const double loss : profile.losses) record["losses"].push_back(rounded(loss));
  for (const Quartiles& q : profile.after) {
    record["lower"].push_back(rounded(q.lower));
    record["median"].push_back(rounded(q.median));
    record["upper"].push_back(rounded(q.upper));
  }
  std::puts(record.dump().c_str());
}

void print_json(const ClippedUpdate& u) {
  const nlohmann::ordered_json record{{"update", u.update},          {"loss", rounded(u.loss)},
                                      {"norm", rounded(u.norm)},     {"step", rounded(u.step)},
                                      {"cosine", rounded(u.cosine)}, {"half_way", rounded(u.half_way)}};
  std::puts(record.dump().c_str());
}

}  // namespace

void run_gradients(const GradientsCommand& command) {
  const auto backend = open_device("cpu", static_cast<int>(command.threads));
  const auto profiles =
      measure_gradients(command.gradients, *backend, [&](int64_t network, const Point& point) {
        std::fprintf(stderr, "network %lld  update %6lld  loss %.6f  right %5.1f %%\n",
                     static_cast<long long>(network), static_cast<long long>(point.update), point.loss,
                     100 * point.accuracy);
      });
  if (command.format == TableFormat::kTsv) std::puts("update\tloss\tk\tlower\tmedian\tupper");
  for (const GradientProfile& profile : profiles) {
    if (command.format == TableFormat::kTsv) {
      print_tsv(profile, command.every);
    } else {
      print_json(profile);
    }
  }
}

void run_clipping(const ClippingCommand& command) {
  const auto backend = open_device("cpu", static_cast<int>(command.threads));
  const bool tsv = command.format == TableFormat::kTsv;
  if (tsv) std::puts("update\tloss\tnorm\tstep\tcosine\thalf_way");
  trace_clipping(*make_adding(command.length), command.run, *backend, [&](const ClippedUpdate& u) {
    if (!tsv) return print_json(u);
    std::printf("%lld\t%.6g\t%.4g\t%.4g\t%.6f\t%.4g\n", static_cast<long long>(u.update), u.loss, u.norm,
                u.step, u.cosine, u.half_way);
  });
}

}  // namespace rondo::diagnostics
