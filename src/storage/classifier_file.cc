#include "storage/classifier_file.h"

#include "base/errors.h"
#include "storage/network_file.h"
#include "storage/quantized.h"

namespace rondo {

namespace {

// Numbers that a network of these options has.
double num_values(const ClassifierOptions& options, const ModelFile& file) {
  const RecurrentOptions& r = options.recurrent;
  const auto width = static_cast<double>(r.directions() * r.output());
  double total = static_cast<double>(file.vocabulary.size()) * static_cast<double>(options.embedding);
  total += r.num_values(options.embedding);
  if (options.pool == PoolKind::kAttention) total += width * (width + 2);
  const double pooled = width * (options.pool == PoolKind::kConcat ? 3 : 1);
  return total + static_cast<double>(file.labels.size()) * (pooled + 1);
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
  append_parameters(model.network->parameters(), file);
  return file;
}

ClassifierModel unpack_classifier(const ModelFile& file, const std::string& path) {
  if (is_quantized(file)) return unpack_classifier(dequantize(file, path), path);
  if (file.kind != "classifier") refuse_kind(file, path, "a classifier");
  nlohmann::json config = file.config;
  config.erase("several-labels");
  const auto options = read_options<ClassifierOptions>(config, path);
  const auto several = file.config.find("several-labels");
  if (several == file.config.end() || !several->is_boolean()) {
    throw_error<FormatError>("{}: its configuration lacks several-labels", path);
  }
  if (file.labels.empty() || (file.labels.size() == 1 && !several->get<bool>())) {
    throw_error<FormatError>("{}: a classifier with {} label(s) can tell nothing apart", path,
                             file.labels.size());
  }
  check_num_values(num_values(options, file), file, path);
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
