#include "storage/translator_file.h"

#include "base/errors.h"
#include "storage/network_file.h"
#include "storage/quantized.h"

namespace rondo {

namespace {

TextCoder read_coder(const TranslatorOptions& options, const std::string& tokenizer_model,
                     const std::vector<std::string>& vocabulary) {
  return {.tokenizer = make_tokenizer(options.tokenizer, tokenizer_model),
          .vocabulary = Vocabulary::from_tokens(vocabulary)};
}

void check_end(const TextCoder& coder, const char* side, const std::string& path) {
  if (coder.end() != Vocabulary::kUnknown) return;
  throw_error<FormatError>("{}: its {} vocabulary has no {}, which ends a sentence", path, side,
                           Vocabulary::kEndToken);
}

}  // namespace

ModelFile pack_translator(const TranslatorModel& model, nlohmann::json metrics) {
  TranslatorOptions options = model.options();
  ModelFile file{.kind = "translator",
                 .config = OptionList(options).to_json(),
                 .labels = {},
                 .vocabulary = model.source.vocabulary.tokens(),
                 .tokenizer_model = model.source.tokenizer->model(),
                 .metrics = std::move(metrics)};
  if (!options.joint) {
    file.target_vocabulary = model.target.vocabulary.tokens();
    file.target_tokenizer_model = model.target.tokenizer->model();
  }
  append_parameters(model.network->parameters(), file);
  return file;
}

TranslatorModel unpack_translator(const ModelFile& file, const std::string& path) {
  if (is_quantized(file)) return unpack_translator(dequantize(file, path), path);
  if (file.kind != "translator") refuse_kind(file, path, "a translator");
  const auto options = read_options<TranslatorOptions>(file.config, path);
  if (options.joint != file.target_vocabulary.empty()) {
    throw_error<FormatError>("{}: it holds {} vocabularies, its configuration says {}", path,
                             options.joint ? "two" : "no two", options.joint ? "one (joint)" : "two");
  }
  const auto source = static_cast<int64_t>(file.vocabulary.size());
  const auto target = options.joint ? source : static_cast<int64_t>(file.target_vocabulary.size());
  check_num_values(options.num_values(source, target), file, path);
  TranslatorModel model;
  try {
    model.source = read_coder(options, file.tokenizer_model, file.vocabulary);
    model.target = options.joint ? model.source
                                 : read_coder(options, file.target_tokenizer_model, file.target_vocabulary);
    model.network = std::make_unique<TranslatorNetwork>(options, source, target);
  } catch (const Error& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
  check_end(model.source, "source", path);
  check_end(model.target, "target", path);
  fill_parameters(model.network->parameters(), file, path);
  return model;
}

void save_translator(const std::string& path, const TranslatorModel& model, nlohmann::json metrics) {
  write_model_file(path, pack_translator(model, std::move(metrics)));
}

TranslatorModel load_translator(const std::string& path) {
  return unpack_translator(read_model_file(path), path);
}

}  // namespace rondo
