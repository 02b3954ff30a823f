#include "rondo/classifier.h"

#include "inference/classifier_state.h"
#include "inference/predictor.h"
#include "storage/classifier_file.h"
#include "tensor/device.h"

namespace rondo {

Classifier::Classifier(std::shared_ptr<State> state) : state_(std::move(state)) {}
Classifier::~Classifier() = default;
Classifier::Classifier(Classifier&&) noexcept = default;
Classifier& Classifier::operator=(Classifier&&) noexcept = default;

Classifier Classifier::load(const std::string& path, int threads, const std::string& precision) {
  InferenceOptions options;
  OptionList(options).find("precision").set_text(precision);
  auto state = std::make_shared<State>();
  state->model = load_classifier(path);
  state->backend = open_device("cpu", threads);
  state->precision = precision_of(state->model.options().recurrent.precision, options);
  prepare(state->model, *state->backend, options);
  return Classifier(std::move(state));
}

std::vector<Prediction> Classifier::predict(std::string_view text, size_t k) const {
  const std::string one[] = {std::string(text)};
  return predict(one, k).front();
}

std::vector<std::vector<Prediction>> Classifier::predict(std::span<const std::string> texts, size_t k) const {
  const Tensor probabilities = predict_texts(state_->model, *state_->backend, texts);
  const auto labels = static_cast<size_t>(state_->model.labels.size());
  std::vector<std::vector<Prediction>> results(texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::span<const float> row(probabilities.data<float>() + i * labels, labels);
    for (const int32_t label : largest(row, k)) {
      results[i].push_back({state_->model.labels.name(label), row[static_cast<size_t>(label)]});
    }
  }
  return results;
}

const std::vector<std::string>& Classifier::labels() const { return state_->model.labels.names(); }
bool Classifier::several_labels() const { return state_->model.labels.multi(); }
size_t Classifier::parameters() const {
  return static_cast<size_t>(state_->model.network->parameters().num_values());
}

}  // namespace rondo
