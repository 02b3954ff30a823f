#include "serve/works.h"

#include <algorithm>
#include <iterator>

#include "inspect/trace_json.h"
#include "serve/refusal.h"

namespace rondo::serve {

namespace {

constexpr int64_t kLeastUnits = 4;  // of a layer that is looked into

// The same model, not only one of the same name: it may have been loaded anew.
template <class Request>
std::string key_of(const ModelPointer& model, const Request& request) {
  Request options = request;
  return fmt::format("{} {}", fmt::ptr(model.get()), OptionList(options).to_json().dump());
}

/// All inputs of a batch in one row, which run() turns into as many results; each work gets its own.
template <class Kind, class Inputs, class Run>
void run_together(std::span<const std::shared_ptr<Work>> batch, const Inputs& inputs_of, const Run& run) {
  using Input = std::decay_t<decltype(inputs_of(std::declval<const Kind&>()))>;
  Input all;
  for (const std::shared_ptr<Work>& work : batch) {
    const Input& own = inputs_of(static_cast<const Kind&>(*work));
    all.insert(all.end(), own.begin(), own.end());
  }
  auto results = run(all);
  auto next = std::make_move_iterator(results.begin());
  for (const std::shared_ptr<Work>& work : batch) {
    auto& kind = static_cast<Kind&>(*work);
    const auto end = next + static_cast<std::ptrdiff_t>(inputs_of(kind).size());
    kind.results.assign(next, end);
    next = end;
  }
}

int64_t series_bytes(const TextTrace& trace, int64_t units) {
  int64_t bytes = 0;
  for (const LayerTrace& layer : trace.layers) bytes += rondo::series_bytes(layer, units);
  return bytes;
}

int64_t widest(const TextTrace& trace) {
  int64_t width = 0;
  for (const LayerTrace& layer : trace.layers) {
    for (const TracedSeries& one : layer.series) width = std::max(width, one.values.shape().back());
  }
  return width;
}

}  // namespace

PredictWork::PredictWork(ModelPointer model, std::vector<std::string> texts, size_t best)
    : Work(fmt::format("{}", fmt::ptr(model.get())), texts.size()),
      model_(std::move(model)),
      texts_(std::move(texts)),
      best_(best) {}

void PredictWork::run(std::span<const std::shared_ptr<Work>> batch) {
  size_t most = 0;
  for (const std::shared_ptr<Work>& work : batch) {
    most = std::max(most, static_cast<const PredictWork&>(*work).best_);
  }
  const auto& model = model_->get<Classifier>();
  run_together<PredictWork>(
      batch, [](const PredictWork& work) -> const auto& { return work.texts_; },
      [&](const std::vector<std::string>& texts) { return model.predict(texts, most); });
  for (const std::shared_ptr<Work>& work : batch) {
    auto& own = static_cast<PredictWork&>(*work);
    for (std::vector<Prediction>& predictions : own.results) {
      if (predictions.size() > own.best_) predictions.resize(own.best_);
    }
  }
}

TaggingWork::TaggingWork(ModelPointer model, TaggingRequest asked)
    : Work(key_of(model, asked), asked.sentences.size()),
      request(std::move(asked)),
      model_(std::move(model)) {}

void TaggingWork::run(std::span<const std::shared_ptr<Work>> batch) {
  const TagRequest wanted{.paths = request.n_best, .log_probabilities = true, .marginals = request.marginals};
  const SentenceTagger& tagger = model_->get<ServedTagger>().tagger;
  run_together<TaggingWork>(
      batch, [](const TaggingWork& work) -> const auto& { return work.request.sentences; },
      [&](const std::vector<std::vector<std::string>>& sentences) { return tagger.tag(sentences, wanted); });
}

TranslationWork::TranslationWork(ModelPointer model, TranslationRequest asked)
    : Work(key_of(model, asked), asked.texts.size()), request(std::move(asked)), model_(std::move(model)) {}

void TranslationWork::run(std::span<const std::shared_ptr<Work>> batch) {
  const auto& translator = model_->get<TextTranslator>();
  run_together<TranslationWork>(
      batch, [](const TranslationWork& work) -> const auto& { return work.request.texts; },
      [&](const std::vector<std::string>& texts) { return translator.translate(texts, request.options); });
}

LookWork::LookWork(ModelPointer model, LookRequest request, int64_t most_bytes)
    : Work(""), model_(std::move(model)), request_(std::move(request)), most_bytes_(most_bytes) {}

void LookWork::run(std::span<const std::shared_ptr<Work>>) {
  TraceOptions options;
  if (request_.gradient) options.gradient = GradientRequest{};
  TextTrace trace = model_->tracer().trace(request_.text, options);
  trace.model = model_->name();
  const int64_t width = widest(trace);
  int64_t units = request_.units > 0 ? std::min(request_.units, width) : width;
  // Halved rather than counted down: a wide layer is many steps from what fits.
  while (units > kLeastUnits && series_bytes(trace, units) > most_bytes_)
    units = std::max(kLeastUnits, units / 2);
  if (series_bytes(trace, units) > most_bytes_) {
    refuse(422, "text: {} tokens are too many to show even {} units of each layer", trace.tokens.size(),
           units);
  }
  TraceJsonOptions json_options{.units = units};
  if (units < width) {
    json_options.notes.push_back(
        fmt::format("Of each layer {} units are here, of {} in the widest: those whose memory varies most "
                    "along the text.",
                    units, width));
  }
  json = traces_json({&trace, 1}, json_options);
}

}  // namespace rondo::serve
