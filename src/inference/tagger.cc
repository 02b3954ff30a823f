// The public class rondo::Tagger.
#include "rondo/tagger.h"

#include <algorithm>
#include <optional>

#include "inference/predictor.h"
#include "inference/sentence_tagger.h"
#include "storage/tagger_file.h"
#include "tensor/device.h"

namespace rondo {

struct Tagger::State {
  TaggerModel model;
  std::unique_ptr<Backend> backend;
  std::optional<SentenceTagger> tagger;

  TaggedSentence ask(std::span<const std::string> words, const TagRequest& request) const {
    const std::vector<std::string> one[] = {{words.begin(), words.end()}};
    return std::move(tagger->tag(one, request).front());
  }
};

Tagger::Tagger(std::shared_ptr<State> state) : state_(std::move(state)) {}
Tagger::~Tagger() = default;
Tagger::Tagger(Tagger&&) noexcept = default;
Tagger& Tagger::operator=(Tagger&&) noexcept = default;

Tagger Tagger::load(const std::string& path, int threads, const std::string& precision) {
  InferenceOptions options;
  OptionList(options).find("precision").set_text(precision);
  auto state = std::make_shared<State>();
  state->model = load_tagger(path);
  state->backend = open_device("cpu", threads);
  state->tagger.emplace(state->model, *state->backend,
                        precision_of(state->model.options().recurrent.precision, options));
  return Tagger(std::move(state));
}

std::vector<std::string> Tagger::tag(std::span<const std::string> words) const {
  return state_->ask(words, {}).paths.front().tags;
}

std::vector<std::vector<std::string>> Tagger::tag(std::span<const std::vector<std::string>> sentences) const {
  std::vector<std::vector<std::string>> tags;
  for (TaggedSentence& sentence : state_->tagger->tag(sentences, {})) {
    tags.push_back(std::move(sentence.paths.front().tags));
  }
  return tags;
}

std::vector<TagSequence> Tagger::n_best(std::span<const std::string> words, size_t count) const {
  const auto paths = static_cast<int64_t>(std::min<size_t>(count, 1 << 20));
  const TaggedSentence sentence = state_->ask(words, {.paths = paths, .log_probabilities = true});
  std::vector<TagSequence> sequences;
  for (const TagPath& path : sentence.paths) sequences.push_back({path.tags, path.log_probability});
  return sequences;
}

std::vector<std::vector<float>> Tagger::marginals(std::span<const std::string> words) const {
  return state_->ask(words, {.marginals = true}).marginals;
}

const std::vector<std::string>& Tagger::labels() const { return state_->tagger->written(); }
size_t Tagger::parameters() const {
  return static_cast<size_t>(state_->model.network->parameters().num_values());
}

}  // namespace rondo
