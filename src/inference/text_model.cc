// The public class rondo::TextModel.
#include <algorithm>
#include <cmath>
#include <optional>

#include "inference/predictor.h"
#include "inference/text_generator.h"
#include "inference/text_scorer.h"
#include "rondo/language_model.h"
#include "storage/language_model_file.h"
#include "tensor/device.h"

namespace rondo {

struct TextModel::State {
  LanguageModel model;
  std::unique_ptr<Backend> backend;
  std::optional<TextGenerator> generator;
  std::optional<TextScorer> scorer;
};

TextModel::TextModel(std::shared_ptr<State> state) : state_(std::move(state)) {}
TextModel::~TextModel() = default;
TextModel::TextModel(TextModel&&) noexcept = default;
TextModel& TextModel::operator=(TextModel&&) noexcept = default;

TextModel TextModel::load(const std::string& path, int threads, const std::string& precision) {
  InferenceOptions options;
  OptionList(options).find("precision").set_text(precision);
  auto state = std::make_shared<State>();
  state->model = load_language_model(path);
  state->backend = open_device("cpu", threads);
  const Precision chosen = precision_of(state->model.options().recurrent.precision, options);
  const PreparedReader prepared = prepare_reader(state->model, *state->backend, chosen);
  state->generator.emplace(state->model, *state->backend, prepared);
  state->scorer.emplace(state->model, *state->backend, prepared.stack);
  return TextModel(std::move(state));
}

std::string TextModel::generate(std::string_view prompt, const std::map<std::string, std::string>& options,
                                const Callback& write) const {
  GenerateOptions chosen;
  const OptionList list(chosen);
  for (const auto& [name, value] : options) {
    if (name == "stop") {
      chosen.stop.push_back(value);
    } else {
      list.find(name).set_text(value);
    }
  }
  const TextGenerator& generator = *state_->generator;
  return generator.generate(generator.read(prompt), chosen, /*sample=*/0, write).text;
}

std::vector<Token> TextModel::score(std::string_view text) const {
  const std::string one[] = {std::string(text)};
  const std::vector<TextScore> scores = state_->scorer->score(one, {});
  std::vector<Token> tokens;
  for (const TokenScore& token : scores.front().tokens) {
    tokens.push_back({.text = token.token, .log_probability = token.log_probability});
  }
  return tokens;
}

std::vector<Token> TextModel::next(std::string_view text, size_t k) const {
  Prompt prompt = state_->generator->read(text);
  std::vector<Token> tokens;
  for (const int32_t id : likeliest(prompt.reader, k)) {
    tokens.push_back(
        {.text = state_->model.vocabulary.token(id), .log_probability = prompt.reader.log_probability(id)});
  }
  return tokens;
}

size_t TextModel::parameters() const {
  return static_cast<size_t>(state_->model.network->parameters().num_values());
}

}  // namespace rondo
