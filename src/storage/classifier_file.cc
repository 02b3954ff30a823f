#include "storage/classifier_file.h"

#include <set>

#include "base/errors.h"
#include "storage/quantized.h"

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

// Numbers that a network of these options has; in double, for hostile sizes overflow integers.
double num_values(const ClassifierOptions& options, const ModelFile& file) {
  const RecurrentOptions& r = options.recurrent;
  const double width = static_cast<double>(r.directions()) * static_cast<double>(r.output());
  const auto labels = static_cast<double>(file.labels.size());
  double total = static_cast<double>(file.vocabulary.size()) * static_cast<double>(options.embedding);
  total += r.num_values(options.embedding);
  if (options.pool == PoolKind::kAttention) total += width * (width + 2);
  const double pooled = width * (options.pool == PoolKind::kConcat ? 3 : 1);
  return total + labels * (pooled + 1);
}

// Before any memory is taken: a hostile configuration must not make us allocate what the file does not hold.
void check_sizes(const ClassifierOptions& options, const ModelFile& file, const std::string& path) {
  double stored = 0;
  for (const auto& [name, tensor] : file.tensors) stored += static_cast<double>(tensor.size());
  const double wanted = num_values(options, file);
  if (wanted != stored) {
    throw_error<FormatError>("{}: its configuration speaks of {:.0f} weights, the file holds {:.0f}", path,
                             wanted, stored);
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
  if (is_quantized(file)) return unpack_classifier(dequantize(file, path), path);
  if (file.kind != "classifier") {
    throw_error<FormatError>("{}: it holds a {}, a classifier is needed here", path, file.kind);
  }
  const ClassifierOptions options = read_options(file, path);
  const auto several = file.config.find("several-labels");
  if (several == file.config.end() || !several->is_boolean()) {
    throw_error<FormatError>("{}: its configuration lacks several-labels", path);
  }
  if (file.labels.empty() || (file.labels.size() == 1 && !several->get<bool>())) {
    throw_error<FormatError>("{}: a classifier with {} label(s) can tell nothing apart", path,
                             file.labels.size());
  }
  check_sizes(options, file, path);
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
