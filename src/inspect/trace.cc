#include "inspect/trace.h"

#include <algorithm>

#include "base/errors.h"
#include "inspect/traced_model.h"

namespace rondo {

namespace {

std::unique_ptr<TracedModel> traced_model(const ModelFile& file, const std::string& path, Backend& backend,
                                          const InferenceOptions& inference) {
  if (file.kind == "language_model") return traced_language_model(file, path, backend, inference);
  if (file.kind == "tagger") return traced_tagger(file, path, backend, inference);
  if (file.kind == "translator") return traced_translator(file, path, backend, inference);
  if (file.kind != "classifier") refuse_kind(file, path, "a model that reads texts");
  return traced_classifier(file, path, backend, inference);
}

}  // namespace

const TracedSeries& LayerTrace::find(const std::string& name) const {
  const auto found = std::ranges::find(series, name, &TracedSeries::name);
  if (found != series.end()) return *found;
  std::string names;
  for (const TracedSeries& one : series) names += (names.empty() ? "" : " ") + one.name;
  throw_error<ConfigError>("trace: a layer of this cell has no series {}; it has {}", name, names);
}

Tracer::Tracer(const std::string& path, Backend& backend, const InferenceOptions& inference)
    : Tracer(read_model_file(path), path, backend, inference) {}

Tracer::Tracer(const ModelFile& file, const std::string& path, Backend& backend,
               const InferenceOptions& inference)
    : kind_(file.kind), model_(traced_model(file, path, backend, inference)) {}

Tracer::~Tracer() = default;
Tracer::Tracer(Tracer&&) noexcept = default;
Tracer& Tracer::operator=(Tracer&&) noexcept = default;

TextTrace Tracer::trace(const std::string& text, const TraceOptions& options) const {
  return model_->trace(text, options);
}

const RecurrentStack& Tracer::stack(const std::string& part) const {
  if (const RecurrentStack* stack = model_->stack(part)) return *stack;
  throw_error<ConfigError>(
      "trace: this model has no recurrent part \"{}\"; a translator has encoder and "
      "decoder, a tagger its own and, with --characters lstm, characters, others \"\"",
      part);
}

}  // namespace rondo
