#include "serve/works.h"

#include <algorithm>
#include <iterator>

namespace rondo::serve {

namespace {

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

}  // namespace rondo::serve
