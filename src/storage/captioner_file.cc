#include "storage/captioner_file.h"

#include "base/errors.h"
#include "storage/network_file.h"
#include "storage/quantized.h"

namespace rondo {

ModelFile pack_captioner(const CaptionerModel& model, nlohmann::json metrics) {
  CaptionerOptions options = model.options();
  ModelFile file{.kind = "captioner",
                 .config = OptionList(options).to_json(),
                 .labels = {},
                 .vocabulary = model.text.vocabulary.tokens(),
                 .tokenizer_model = model.text.tokenizer->model(),
                 .metrics = std::move(metrics)};
  append_parameters(model.network->parameters(), file);
  return file;
}

CaptionerModel unpack_captioner(const ModelFile& file, const std::string& path) {
  if (is_quantized(file)) return unpack_captioner(dequantize(file, path), path);
  if (file.kind != "captioner") refuse_kind(file, path, "a captioner");
  const auto options = read_options<CaptionerOptions>(file.config, path);
  const auto vocabulary = static_cast<int64_t>(file.vocabulary.size());
  check_num_values(options.num_values(vocabulary), file, path);
  CaptionerModel model;
  try {
    model.text = {.tokenizer = make_tokenizer(options.tokenizer, file.tokenizer_model),
                  .vocabulary = Vocabulary::from_tokens(file.vocabulary)};
    model.network = std::make_unique<CaptionerNetwork>(options, vocabulary);
  } catch (const Error& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
  if (model.text.end() == Vocabulary::kUnknown) {
    throw_error<FormatError>("{}: its vocabulary has no {}, which ends a caption", path,
                             Vocabulary::kEndToken);
  }
  fill_parameters(model.network->parameters(), file, path);
  return model;
}

void save_captioner(const std::string& path, const CaptionerModel& model, nlohmann::json metrics) {
  write_model_file(path, pack_captioner(model, std::move(metrics)));
}

CaptionerModel load_captioner(const std::string& path) {
  return unpack_captioner(read_model_file(path), path);
}

}  // namespace rondo
