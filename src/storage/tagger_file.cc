#include "storage/tagger_file.h"

#include "base/errors.h"
#include "storage/network_file.h"
#include "storage/quantized.h"

namespace rondo {

namespace {

constexpr const char* kAlphabet = "alphabet";
constexpr const char* kColumns = "columns";

nlohmann::json columns_json(const ConllColumns& columns) {
  return {{"conllu", columns.conllu}, {"token", columns.token}, {"tag", columns.tag}};
}

// Files of models that learnt from the usual columns lack them.
ConllColumns take_columns(nlohmann::json& config, const std::string& path) {
  const auto found = config.find(kColumns);
  if (found == config.end()) return {};
  const auto is = [&](const char* key, nlohmann::json::value_t type) {
    return found->is_object() && found->contains(key) && found->at(key).type() == type;
  };
  if (!is("conllu", nlohmann::json::value_t::boolean) || !is("token", nlohmann::json::value_t::string) ||
      !is("tag", nlohmann::json::value_t::string)) {
    throw_error<FormatError>("{}: its {} must tell conllu, token and tag", path, kColumns);
  }
  ConllColumns columns{.conllu = found->at("conllu").get<bool>(),
                       .token = found->at("token").get<std::string>(),
                       .tag = found->at("tag").get<std::string>()};
  config.erase(kColumns);
  return columns;
}

std::vector<std::string> take_alphabet(nlohmann::json& config, const std::string& path) {
  const auto found = config.find(kAlphabet);
  bool fits = found != config.end() && found->is_array();
  for (size_t i = 0; fits && i < found->size(); ++i) fits = (*found)[i].is_string();
  if (!fits) throw_error<FormatError>("{}: its configuration lacks the list {}", path, kAlphabet);
  auto characters = found->get<std::vector<std::string>>();
  config.erase(kAlphabet);
  return characters;
}

void check_characters(const TaggerModel& model, const TaggerOptions& options, const std::string& path) {
  if (options.characters == CharacterPart::kNone) return;
  if (model.characters.size() > CharacterReader::kEdge &&
      model.characters.token(CharacterReader::kEdge) == CharacterReader::kEdgeToken) {
    return;
  }
  throw_error<FormatError>("{}: its {} must have {} as number {}", path, kAlphabet,
                           CharacterReader::kEdgeToken, CharacterReader::kEdge);
}

}  // namespace

ModelFile pack_tagger(const TaggerModel& model, nlohmann::json metrics) {
  TaggerOptions options = model.options();
  ModelFile file{.kind = "tagger",
                 .config = OptionList(options).to_json(),
                 .labels = model.labels.names(),
                 .vocabulary = model.words.tokens(),
                 .tokenizer_model = {},
                 .metrics = std::move(metrics)};
  file.config[kAlphabet] = model.characters.tokens();
  if (!model.columns.token.empty() || !model.columns.tag.empty()) {
    file.config[kColumns] = columns_json(model.columns);
  }
  append_parameters(model.network->parameters(), file);
  return file;
}

TaggerModel unpack_tagger(const ModelFile& file, const std::string& path) {
  if (is_quantized(file)) return unpack_tagger(dequantize(file, path), path);
  if (file.kind != "tagger") refuse_kind(file, path, "a tagger");
  nlohmann::json config = file.config;
  const std::vector<std::string> alphabet = take_alphabet(config, path);
  const ConllColumns columns = take_columns(config, path);
  const auto options = read_options<TaggerOptions>(config, path);
  if (file.labels.empty()) throw_error<FormatError>("{}: a tagger without labels can tell nothing", path);
  check_num_values(
      options.num_values(static_cast<double>(file.vocabulary.size()), static_cast<double>(alphabet.size()),
                         static_cast<double>(file.labels.size())),
      file, path);
  TaggerModel model;
  model.columns = columns;
  try {
    model.words = Vocabulary::from_tokens(file.vocabulary);
    model.characters = Vocabulary::from_tokens(alphabet);
    model.labels = LabelSet(file.labels, /*multi=*/false);
    model.network =
        std::make_unique<TaggerNetwork>(options, TaggerShape{.words = model.words.size(),
                                                             .characters = model.characters.size(),
                                                             .labels = file.labels});
  } catch (const Error& error) {
    throw_error<FormatError>("{}: {}", path, error.what());
  }
  check_characters(model, options, path);
  fill_parameters(model.network->parameters(), file, path);
  return model;
}

void save_tagger(const std::string& path, const TaggerModel& model, nlohmann::json metrics) {
  write_model_file(path, pack_tagger(model, std::move(metrics)));
}

TaggerModel load_tagger(const std::string& path) { return unpack_tagger(read_model_file(path), path); }

}  // namespace rondo
