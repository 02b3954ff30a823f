// One loaded model of any kind, shared by all requests and never changed.
//   std::shared_ptr<const ServedModel> model = load_served_model("news", "news.rondo", {});
//   model->get<Classifier>().predict(texts, 3);
#pragma once

#include <cassert>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

#include "inference/sentence_tagger.h"
#include "inference/text_generator.h"
#include "inference/text_translator.h"
#include "inspect/trace.h"
#include "rondo/classifier.h"
#include "storage/model_file.h"

namespace rondo::serve {

/// A tagger and what it stands on; it stays where it was made, for the parts point at each other.
struct ServedTagger {
  ServedTagger(TaggerModel loaded, Backend& backend, const InferenceOptions& inference);
  TaggerModel model;
  SentenceTagger tagger;
};

struct ServedLanguageModel {
  ServedLanguageModel(LanguageModel loaded, Backend& device, const InferenceOptions& inference);
  LanguageModel model;
  Backend& backend;
  PreparedReader prepared;
  TextGenerator generator;
};

class ServedModel {
 public:
  /// Each request runs on one thread; several use the model side by side.
  /// @throws IoError; FormatError if it is no model, or damaged; ConfigError for a precision it has not.
  ServedModel(std::string name, std::string path, const InferenceOptions& inference);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  /// As the file names it: "classifier", "tagger", "language_model" or "translator".
  const std::string& kind() const { return kind_; }
  int64_t parameters() const { return parameters_; }
  /// Whether it reads a text as it comes: a language model, or a classifier of one direction.
  bool has_sessions() const { return has_sessions_; }

  /// What looks inside. It holds the weights a second time, and so is made from the file when it is first
  /// asked for.
  /// @throws Refusal (409) if the file is another by then; IoError.
  const Tracer& tracer() const;

  /// The model as its kind: Classifier, ServedTagger, ServedLanguageModel or TextTranslator.
  template <class Kind>
  const Kind& get() const {
    const auto* found = std::get_if<std::unique_ptr<Kind>>(&model_);
    assert(found);
    return **found;
  }

 private:
  void load_classifier(const InferenceOptions& inference);
  void load_others(const ModelFile& file, const InferenceOptions& inference);

  std::string name_, path_, kind_;
  InferenceOptions inference_;
  std::filesystem::file_time_type written_;
  std::unique_ptr<Backend> backend_;
  std::variant<std::unique_ptr<Classifier>, std::unique_ptr<ServedTagger>,
               std::unique_ptr<ServedLanguageModel>, std::unique_ptr<TextTranslator>>
      model_;
  int64_t parameters_ = 0;
  bool has_sessions_ = false;
  mutable std::mutex tracer_mutex_;
  mutable std::unique_ptr<const Tracer> tracer_;
};

using ModelPointer = std::shared_ptr<const ServedModel>;

/// "language model" for "language_model".
std::string in_words(const std::string& kind);

}  // namespace rondo::serve
