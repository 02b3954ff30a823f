#include "inspect/traced_model.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/errors.h"
#include "storage/network_file.h"

namespace rondo {

namespace {

constexpr const char* kPrecision = "precision";

struct OnlyPrecision {
  Precision precision = Precision::kFloat32;

  template <class Visitor>
  void visit(Visitor& v) {
    v(kPrecision, precision, "of the products");
  }
  void check() const {}
};

Precision own_precision(const ModelFile& file, const std::string& path) {
  nlohmann::json config = nlohmann::json::object();
  if (file.config.contains(kPrecision)) config[kPrecision] = file.config.at(kPrecision);
  return read_options<OnlyPrecision>(config, path).precision;
}

}  // namespace

TracedModel::TracedModel(const ModelFile& file, std::string path, Backend& backend,
                         const InferenceOptions& inference)
    : kind_(file.kind),
      path_(std::move(path)),
      backend_(&backend),
      own_(own_precision(file, path_)),
      precision_(precision_of(own_, inference)) {}

ModelFile TracedModel::twin_of(const ModelFile& file) const {
  ModelFile copy = file;
  copy.config[kPrecision] = name_of(precision_);
  return copy;
}

TextTrace TracedModel::trace(const std::string& text, const TraceOptions& options) const {
  if (options.gradient && precision_ == Precision::kInt8) {
    throw_error<ConfigError>(
        "{}: it runs in int8, which has no gradients; ask for them in another precision: --precision f32 or "
        "bf16",
        path_);
  }
  TextTrace trace{.model = std::filesystem::path(path_).filename().string(),
                  .kind = kind_,
                  .precision = name_of(precision_),
                  .text = text};
  fill(trace, options);
  if (!options.gradient) {
    for (LayerTrace& layer : trace.layers) layer.d_states = {};  // nothing arrived
  }
  return trace;
}

void freeze(ParameterSet& set) {
  for (Parameter& parameter : set.all()) parameter.trainable = false;
}

void run_backward(TextTrace& trace, Tape& tape, const Variable& value, std::string gradient_of) {
  trace.gradient_of = std::move(gradient_of);
  trace.gradient_value = value.value().at(0);
  tape.backward(value);
}

Tensor gradient_of(const Variable& variable) {
  return variable.gradient() ? variable.gradient() : Tensor::zeros(variable.shape());
}

int64_t requested_step(const GradientRequest& request, int64_t steps, int64_t last) {
  const int64_t step = request.step < 0 ? last : request.step;
  if (step >= 0 && step < steps) return step;
  if (steps == 0) throw_error<ConfigError>("gradient: the text has no step");
  throw_error<ConfigError>("gradient: step {} of a text of {}; steps are 0 to {}", step, steps, steps - 1);
}

std::vector<Alternative> best_alternatives(std::span<const float> probabilities, int64_t n,
                                           const Vocabulary& vocabulary) {
  std::vector<int32_t> ids(probabilities.size());
  std::iota(ids.begin(), ids.end(), 0);
  const auto count = static_cast<std::ptrdiff_t>(std::clamp<int64_t>(n, 0, static_cast<int64_t>(ids.size())));
  const auto probability = [&](int32_t id) { return probabilities[static_cast<size_t>(id)]; };
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(), [&](int32_t a, int32_t b) {
    return probability(a) != probability(b) ? probability(a) > probability(b) : a < b;
  });
  std::vector<Alternative> best;
  for (auto id = ids.begin(); id != ids.begin() + count; ++id) {
    best.push_back({vocabulary.token(*id), probability(*id)});
  }
  return best;
}

}  // namespace rondo
