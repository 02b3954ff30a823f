#include "storage/language_model_file.h"

#include "base/errors.h"
#include "storage/network_file.h"
#include "storage/quantized.h"

namespace rondo {

namespace {

// Numbers that a network of these options has.
double num_values(const LanguageModelOptions& options, double vocabulary) {
  const double embedding = options.one_hot() ? vocabulary : static_cast<double>(options.embedding);
  const RecurrentOptions& r = options.recurrent;
  // Both directions share one softmax, each reads it alone.
  const auto width = static_cast<double>(r.output());
  double total = vocabulary * embedding + r.num_values(static_cast<int64_t>(embedding));
  std::vector<int64_t> ends = options.cutoffs();
  if (ends.empty()) return total + vocabulary + (options.tied ? 0 : vocabulary * width);
  total += width * static_cast<double>(ends[0] + static_cast<int64_t>(ends.size()));
  ends.push_back(static_cast<int64_t>(vocabulary));
  int64_t narrow = r.output();
  for (size_t i = 0; i + 1 < ends.size(); ++i) {
    narrow /= 4;
    total += static_cast<double>(narrow) * (width + static_cast<double>(ends[i + 1] - ends[i]));
  }
  return total;
}

// Before they are counted with: a negative count would hide what the rest asks for.
void check_cutoffs(const LanguageModelOptions& options, int64_t vocabulary, const std::string& path) {
  const std::vector<int64_t> ends = options.cutoffs();
  if (ends.empty() || ends.back() < vocabulary) return;
  throw_error<FormatError>("{}: its configuration: adaptive must end below the vocabulary of {}, got {}",
                           path, vocabulary, ends.back());
}

}  // namespace

ModelFile pack_language_model(const LanguageModel& model, nlohmann::json metrics) {
  LanguageModelOptions options = model.options();
  ModelFile file{.kind = "language_model",
                 .config = OptionList(options).to_json(),
                 .labels = {},
                 .vocabulary = model.vocabulary.tokens(),
                 .tokenizer_model = model.tokenizer->model(),
                 .metrics = std::move(metrics)};
  append_parameters(model.network->parameters(), file);
  return file;
}

LanguageModel unpack_language_model(const ModelFile& file, const std::string& path) {
  if (is_quantized(file)) return unpack_language_model(dequantize(file, path), path);
  if (file.kind != "language_model") refuse_kind(file, path, "a language model");
  const auto options = read_options<LanguageModelOptions>(file.config, path);
  check_cutoffs(options, static_cast<int64_t>(file.vocabulary.size()), path);
  check_num_values(num_values(options, static_cast<double>(file.vocabulary.size())), file, path);
  LanguageModel model;
  try {
    model.tokenizer = make_tokenizer(options.tokenizer, file.tokenizer_model);
    model.vocabulary = Vocabulary::from_tokens(file.vocabulary);
    model.network = std::make_unique<LanguageNetwork>(options, model.vocabulary.size());
  } catch (const Error& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
  if (model.end() == Vocabulary::kUnknown) {
    throw_error<FormatError>("{}: its vocabulary has no {}, which ends a document", path,
                             Vocabulary::kEndToken);
  }
  fill_parameters(model.network->parameters(), file, path);
  return model;
}

void save_language_model(const std::string& path, const LanguageModel& model, nlohmann::json metrics) {
  write_model_file(path, pack_language_model(model, std::move(metrics)));
}

LanguageModel load_language_model(const std::string& path) {
  return unpack_language_model(read_model_file(path), path);
}

}  // namespace rondo
