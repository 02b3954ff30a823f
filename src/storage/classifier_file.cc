#include "storage/classifier_file.h"

#include <set>

#include "base/errors.h"

namespace rondo {

namespace {

ClassifierOptions read_options(const ModelFile& file, const std::string& path) {
  ClassifierOptions options;
  try {
    nlohmann::json config = file.config;
    config.erase("several-labels");
    OptionList(options).from_json(config);
    options.check();
  } catch (const ConfigError& error) {
    throw_error<FormatError>("{}: its configuration: {}", path, error.what());
  }
  return options;
}

// What the shapes would need, from the sizes alone: a hostile configuration must not make us allocate.
void check_sizes(const ClassifierOptions& options, const ModelFile& file, const std::string& path) {
  int64_t stored = 0;
  for (const auto& [name, tensor] : file.tensors) stored += tensor.size();
  const RecurrentOptions& recurrent = options.recurrent;
  const double recurrent_weights = static_cast<double>(recurrent.hidden) *
                                   static_cast<double>(recurrent.output()) *
                                   static_cast<double>(recurrent.layers);
  const double embedding_weights =
      static_cast<double>(file.vocabulary.size()) * static_cast<double>(options.embedding);
  if (recurrent_weights > static_cast<double>(stored) || embedding_weights > static_cast<double>(stored)) {
    throw_error<FormatError>("{}: its configuration speaks of more weights than the file holds", path);
  }
}

void fill_parameters(ParameterSet& set, const ModelFile& file, const std::string& path) {
  std::set<std::string> names;
  for (Parameter& parameter : set.all()) {
    const Tensor& tensor = file.find(parameter.name);
    if (tensor.shape() != parameter.value.shape() || tensor.type() != DType::kFloat32) {
      throw_error<FormatError>("{}: {} must be float32 {}, got {}", path, parameter.name,
                               to_string(parameter.value.shape()), to_string(tensor.shape()));
    }
    parameter.value = tensor.clone();
    names.insert(parameter.name);
  }
  for (const auto& [name, tensor] : file.tensors) {
    if (!names.contains(name))
      throw_error<FormatError>("{}: tensor {} belongs to no part of the model", path, name);
  }
}

}  // namespace

ModelFile pack_classifier(const ClassifierModel& model, nlohmann::json metrics) {
  ClassifierOptions options = model.options();
  ModelFile file{.kind = "classifier",
                 .config = OptionList(options).to_json(),
                 .labels = model.labels.names(),
                 .vocabulary = model.vocabulary.tokens(),
                 .tokenizer_model = model.tokenizer->model(),
                 .metrics = std::move(metrics)};
  file.config["several-labels"] = model.labels.multi();
  for (const Parameter& parameter : model.network->parameters().all()) {
    file.tensors.emplace_back(parameter.name, parameter.value);
  }
  return file;
}

ClassifierModel unpack_classifier(const ModelFile& file, const std::string& path) {
  if (file.kind != "classifier") {
    throw_error<FormatError>("{}: it holds a {}, a classifier is needed here", path, file.kind);
  }
  const ClassifierOptions options = read_options(file, path);
  check_sizes(options, file, path);
  const auto several = file.config.find("several-labels");
  if (several == file.config.end() || !several->is_boolean()) {
    throw_error<FormatError>("{}: its configuration lacks several-labels", path);
  }
  ClassifierModel model;
  try {
    model.tokenizer = make_tokenizer(options.tokenizer, file.tokenizer_model);
    model.vocabulary = Vocabulary::from_tokens(file.vocabulary);
    model.labels = LabelSet(file.labels, several->get<bool>());
  } catch (const Error& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
  model.network = std::make_unique<ClassifierNetwork>(options, model.vocabulary.size(), model.labels.size());
  fill_parameters(model.network->parameters(), file, path);
  return model;
}

void save_classifier(const std::string& path, const ClassifierModel& model, nlohmann::json metrics) {
  write_model_file(path, pack_classifier(model, std::move(metrics)));
}

ClassifierModel load_classifier(const std::string& path) {
  return unpack_classifier(read_model_file(path), path);
}

}  // namespace rondo
