#include "serve/served_model.h"

#include "base/errors.h"
#include "rondo/session.h"
#include "serve/refusal.h"
#include "storage/classifier_file.h"
#include "storage/language_model_file.h"
#include "storage/tagger_file.h"
#include "storage/translator_file.h"
#include "tensor/device.h"

namespace rondo::serve {

namespace {

constexpr int kThreadsOfOneRequest = 1;

// By trying it: what stands against it is the session's own business.
bool can_stream(const Classifier& model) {
  try {
    Session(model).probabilities();
    return true;
  } catch (const ConfigError&) {
    return false;
  }
}

// One that also reads backwards teaches classifiers, and cannot write.
void require_forwards(const ServedLanguageModel& served, const std::string& path) {
  try {
    LanguageReader(served.model, served.backend, served.prepared);
  } catch (const ConfigError& error) {
    throw_error<ConfigError>("{}: {}", path, error.what());
  }
}

}  // namespace

ServedTagger::ServedTagger(TaggerModel loaded, Backend& backend, const InferenceOptions& inference)
    : model(std::move(loaded)),
      tagger(model, backend, precision_of(model.options().recurrent.precision, inference)) {}

ServedLanguageModel::ServedLanguageModel(LanguageModel loaded, Backend& device,
                                         const InferenceOptions& inference)
    : model(std::move(loaded)),
      backend(device),
      prepared(prepare_reader(model, backend, precision_of(model.options().recurrent.precision, inference))),
      generator(model, backend, prepared) {}

ServedModel::ServedModel(std::string name, std::string path, const InferenceOptions& inference)
    : name_(std::move(name)),
      path_(std::move(path)),
      inference_(inference),
      backend_(open_device("cpu", kThreadsOfOneRequest)) {
  std::error_code missing;  // which reading it says better
  written_ = std::filesystem::last_write_time(path_, missing);
  const ModelFile file = read_model_file(path_);
  kind_ = file.kind;
  if (kind_ == "classifier") {
    load_classifier(inference);
  } else {
    load_others(file, inference);
  }
}

void ServedModel::load_classifier(const InferenceOptions& inference) {
  auto model = std::make_unique<Classifier>(
      Classifier::load(path_, kThreadsOfOneRequest, name_of(inference.precision)));
  parameters_ = static_cast<int64_t>(model->parameters());
  has_sessions_ = can_stream(*model);
  model_ = std::move(model);
}

void ServedModel::load_others(const ModelFile& file, const InferenceOptions& inference) {
  if (kind_ == "tagger") {
    auto made = std::make_unique<ServedTagger>(unpack_tagger(file, path_), *backend_, inference);
    parameters_ = made->model.network->parameters().num_values();
    model_ = std::move(made);
  } else if (kind_ == "language_model") {
    auto made =
        std::make_unique<ServedLanguageModel>(unpack_language_model(file, path_), *backend_, inference);
    require_forwards(*made, path_);
    parameters_ = made->model.network->parameters().num_values();
    has_sessions_ = true;
    model_ = std::move(made);
  } else if (kind_ == "translator") {
    std::vector<TranslatorModel> models;
    models.push_back(unpack_translator(file, path_));
    auto made = std::make_unique<TextTranslator>(std::move(models), std::vector{path_}, *backend_, inference);
    parameters_ = made->parameters();
    model_ = std::move(made);
  } else {
    refuse_kind(file, path_, "a classifier, a tagger, a language model or a translator");
  }
}

const Tracer& ServedModel::tracer() const {
  const std::lock_guard lock(tracer_mutex_);
  if (tracer_) return *tracer_;
  std::error_code missing;
  if (std::filesystem::last_write_time(path_, missing) != written_ || missing) {
    refuse(409, "model: the file of {} is not the one that was loaded; SIGHUP makes the server load it",
           name_);
  }
  tracer_ = std::make_unique<const Tracer>(path_, *backend_, inference_);
  return *tracer_;
}

std::string in_words(const std::string& kind) {
  std::string words = kind;
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

}  // namespace rondo::serve
