// The public class rondo::Translator.
#include "rondo/translator.h"

#include <optional>

#include "inference/text_translator.h"
#include "tensor/device.h"

namespace rondo {

namespace {

TranslateOptions read_options(const Translator::Options& options) {
  TranslateOptions chosen;
  const OptionList list(chosen);
  for (const auto& [name, value] : options) list.find(name).set_text(value);
  return chosen;
}

}  // namespace

struct Translator::State {
  std::unique_ptr<Backend> backend;
  std::optional<TextTranslator> translator;
};

Translator::Translator(std::shared_ptr<State> state) : state_(std::move(state)) {}
Translator::~Translator() = default;
Translator::Translator(Translator&&) noexcept = default;
Translator& Translator::operator=(Translator&&) noexcept = default;

Translator Translator::load(const std::string& path, int threads, const std::string& precision) {
  return load(std::vector{path}, threads, precision);
}

Translator Translator::load(const std::vector<std::string>& paths, int threads,
                            const std::string& precision) {
  InferenceOptions options;
  OptionList(options).find("precision").set_text(precision);
  auto state = std::make_shared<State>();
  state->backend = open_device("cpu", threads);
  state->translator.emplace(paths, *state->backend, options);
  return Translator(std::move(state));
}

std::string Translator::translate(std::string_view text, const Options& options) const {
  return translate_all({std::string(text)}, options).front();
}

std::vector<std::string> Translator::translate_all(const std::vector<std::string>& texts,
                                                   const Options& options) const {
  std::vector<std::string> best;
  for (std::vector<Translation>& found : state_->translator->translate(texts, read_options(options))) {
    best.push_back(std::move(found.front().text));
  }
  return best;
}

std::vector<Translation> Translator::n_best(std::string_view text, size_t k, const Options& options) const {
  TranslateOptions chosen = read_options(options);
  const auto count = static_cast<int64_t>(k);
  chosen.search.n_best = count;
  chosen.search.beam = std::max(chosen.search.beam, count);
  chosen.alignment = state_->translator->attends();
  const std::string one[] = {std::string(text)};
  return std::move(state_->translator->translate(one, chosen).front());
}

size_t Translator::parameters() const { return static_cast<size_t>(state_->translator->parameters()); }

}  // namespace rondo
