#include <algorithm>

#include "base/errors.h"
#include "inference/sentence_tagger.h"
#include "inspect/traced_model.h"
#include "kernels/crf.h"
#include "models/tagger_batch.h"
#include "storage/tagger_file.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

std::vector<std::string> words_of(const std::string& text) {
  constexpr const char* kSpace = " \t\v\f\r\n";
  std::vector<std::string> words;
  for (size_t begin = text.find_first_not_of(kSpace); begin != std::string::npos;) {
    const size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
  return words;
}

// One sentence, each of its words by itself, that a trace may show the characters of all of them.
struct Sentence {
  Packing packing;
  TaggerBatchWords words;

  int64_t steps() const { return packing.num_rows(); }
};

Sentence sentence_of(const TaggerModel& model, const std::vector<std::string>& words) {
  WordForms forms = model.forms();
  std::vector<int32_t> numbers;
  for (const std::string& word : words) numbers.push_back(forms.add(word));
  Sentence sentence{.packing = Packing(std::vector{static_cast<int64_t>(words.size())}), .words = {}};
  sentence.words.words = forms.select(numbers);
  for (const int64_t row : text_rows(sentence.steps()))
    sentence.words.rows.push_back(static_cast<int32_t>(row));
  return sentence;
}

// The packed row of each character, word after word.
std::vector<int64_t> character_rows(const CharacterPass& pass) {
  std::vector<int64_t> packed(pass.packing.order().size());
  for (size_t n = 0; n < packed.size(); ++n) {
    packed[static_cast<size_t>(pass.packing.order()[n])] = static_cast<int64_t>(n);
  }
  std::vector<int64_t> rows;
  for (const int64_t n : packed) {
    for (int64_t t = 0; t < pass.packing.length(n); ++t) rows.push_back(pass.packing.rows().row(t, n));
  }
  return rows;
}

class TracedTagger : public TracedModel {
 public:
  TracedTagger(const ModelFile& file, const std::string& path, Backend& backend,
               const InferenceOptions& inference)
      : TracedModel(file, path, backend, inference),
        model_(unpack_tagger(file, path)),
        tagger_(model_, backend, precision()) {
    freeze(model_.network->parameters());
    if (!has_twin()) return;
    twin_ = unpack_tagger(twin_of(file), path);
    freeze(twin_->network->parameters());
  }

  const RecurrentStack* stack(const std::string& part) const override {
    if (part.empty()) return &model_.network->recurrent();
    const CharacterReader* reader = model_.network->characters();
    return part == kCharacters && reader != nullptr ? reader->recurrent() : nullptr;
  }

 private:
  static constexpr const char* kCharacters = "characters";

  void fill(TextTrace& trace, const TraceOptions& options) const override {
    trace.cell = name_of(model_.options().recurrent.cell);
    trace.tokens = words_of(trace.text);
    trace.labels = tagger_.written();
    const std::vector<std::string> sentences[] = {trace.tokens};
    const TaggedSentence tagged = tagger_.tag(sentences, {.marginals = true}).front();
    trace.tags = tagged.paths.front().tags;
    trace.predictions =
        Tensor({static_cast<int64_t>(trace.tokens.size()), static_cast<int64_t>(trace.labels.size())});
    float* to = trace.predictions.data<float>();
    for (const std::vector<float>& row : tagged.marginals) to = std::ranges::copy(row, to).out;

    const Sentence sentence = sentence_of(model_, trace.tokens);
    Tape tape(backend(), plain());
    const TaggerPass pass = model_.network->forward(tape, sentence.words, sentence.packing);
    trace.layers = layers_of(pass, sentence.steps());
    trace.embeddings = pass.features.value();
    add_characters(trace);
    if (options.gradient) add_gradient(trace, sentence, *options.gradient);
  }

  std::vector<LayerTrace> layers_of(const TaggerPass& pass, int64_t steps) const {
    std::vector<LayerTrace> layers;
    if (const RecurrentStack* reader = stack(kCharacters)) {
      layers = layer_traces(
          pass.characters.traces,
          {.name = kCharacters, .options = reader->options(), .rows = character_rows(pass.characters)});
    }
    const TracedPart part{.name = "", .options = model_.options().recurrent, .rows = text_rows(steps)};
    for (LayerTrace& layer : layer_traces(pass.traces, part)) layers.push_back(std::move(layer));
    return layers;
  }

  void add_characters(TextTrace& trace) const {
    if (stack(kCharacters) == nullptr) return;
    for (const std::string& word : trace.tokens) {
      for (std::string& one : characters_of(word, model_.options().max_characters)) {
        trace.characters.push_back(std::move(one));
      }
      trace.character_ends.push_back(static_cast<int64_t>(trace.characters.size()));
    }
  }

  // Scores in which every label of word `step` but those that are written as `tag` is as good as forbidden.
  Variable only(const Variable& scores, int64_t step, const std::string& tag) const {
    const Tensor bars = Tensor::zeros(scores.shape());
    float* row = bars.data<float>() + step * bars.dim(1);
    for (int32_t k = 0; k < model_.labels.size(); ++k) {
      if (model_.tag(k) != tag) row[k] = static_cast<float>(kForbiddenScore);
    }
    return add(scores, scores.tape().input(bars));
  }

  // With s a path that has the tag: log p(tag) = log of the sum over all paths that have it - log Z
  //   = (log Z - s) of all paths, less (log Z' - s) of those alone.
  Variable log_marginal(const TaggerNetwork& network, const Variable& scores, const Packing& packing,
                        int64_t step, const std::string& tag) const {
    const Variable barred = only(scores, step, tag);
    const std::vector<int32_t> path = network.chain().decode(barred, packing).front().labels;
    const CrfConstraints& scheme = network.chain().constraints();
    const bool broken = !scheme.empty() && scheme.first_break(path) >= 0;
    if (broken || model_.tag(path[static_cast<size_t>(step)]) != tag) {
      throw_error<ConfigError>("gradient: the scheme of this model forbids the tag {} there", tag);
    }
    Tensor plus({1}), minus({1});
    plus.fill(1);
    minus.fill(-1);
    return add(weighted_sum(network.chain().loss(barred, path, packing), plus),
               weighted_sum(network.chain().loss(scores, path, packing), minus));
  }

  void add_gradient(TextTrace& trace, const Sentence& sentence, const GradientRequest& request) const {
    if (sentence.steps() == 0) throw_error<ConfigError>("gradient: a sentence without words has no tags");
    Tape tape(backend(), recording());
    const TaggerNetwork& network = twin_ ? *twin_->network : *model_.network;
    const TaggerPass pass = network.forward(tape, sentence.words, sentence.packing);
    if (request.loss) {
      const std::vector<int32_t> best = network.decode(pass.scores, sentence.packing).front().labels;
      run_backward(trace, tape, network.loss(pass.scores, best, sentence.packing, 1),
                   "loss: -log p(" + fmt::format("{}", fmt::join(trace.tags, " ")) + ")");
    } else {
      const int64_t step = requested_step(request, sentence.steps(), sentence.steps() - 1);
      const std::string tag = request.output.empty() ? trace.tags[static_cast<size_t>(step)] : request.output;
      if (std::ranges::find(trace.labels, tag) == trace.labels.end()) {
        throw_error<ConfigError>("gradient: {} has no tag {}; it has {}", path(), tag,
                                 fmt::join(trace.labels, ", "));
      }
      run_backward(trace, tape, log_marginal(network, pass.scores, sentence.packing, step, tag),
                   fmt::format("log p({} for word {})", tag, step));
    }
    trace.d_tokens = gradient_of(pass.features);
    take_gradients(trace.layers, layers_of(pass, sentence.steps()));
  }

  TaggerModel model_;
  SentenceTagger tagger_;
  std::optional<TaggerModel> twin_;
};

}  // namespace

std::unique_ptr<TracedModel> traced_tagger(const ModelFile& file, const std::string& path, Backend& backend,
                                           const InferenceOptions& inference) {
  return std::make_unique<TracedTagger>(file, path, backend, inference);
}

}  // namespace rondo
