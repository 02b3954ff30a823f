#include <algorithm>
#include <cmath>

#include "base/errors.h"
#include "inference/translator_search.h"
#include "inspect/traced_model.h"
#include "storage/translator_file.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

// Hypotheses by their place among all that a step kept, the finished ones too.
class BeamRecord {
 public:
  BeamRecord(const TextCoder& target, std::vector<BeamStep>& steps) : target_(target), steps_(steps) {}

  void add(std::span<const BeamChoice> kept) {
    std::vector<int64_t> going_on;
    BeamStep step;
    for (const BeamChoice& choice : kept) {
      if (!choice.ended) going_on.push_back(static_cast<int64_t>(step.size()));
      step.push_back({.parent = steps_.empty() ? -1 : places_[static_cast<size_t>(choice.parent)],
                      .token = target_.vocabulary.token(choice.token),
                      .log_probability = choice.log_probability,
                      .score = choice.score,
                      .finished = choice.ended});
    }
    places_ = std::move(going_on);
    steps_.push_back(std::move(step));
  }

 private:
  const TextCoder& target_;
  std::vector<BeamStep>& steps_;
  std::vector<int64_t> places_;  // of those that went on from the last step
};

class TracedTranslator : public TracedModel {
 public:
  TracedTranslator(const ModelFile& file, const std::string& path, Backend& backend,
                   const InferenceOptions& inference)
      : TracedModel(file, path, backend, inference),
        model_(unpack_translator(file, path)),
        encoder_(model_.options().encoder()),
        decoder_(model_.options().decoder()) {
    model_.network->prepare(backend, precision());
    freeze(model_.network->parameters());
    if (!has_twin()) return;
    twin_ = unpack_translator(twin_of(file), path);
    freeze(twin_->network->parameters());
  }

  const RecurrentStack* stack(const std::string& part) const override {
    if (part == kEncoder) return &model_.network->encoder();
    return part == kDecoder ? &model_.network->decoder() : nullptr;
  }

 private:
  static constexpr const char *kEncoder = "encoder", *kDecoder = "decoder";

  // Ids of a translation, its end among them where it has one.
  struct Written {
    std::vector<int32_t> ids;
    bool ended = true;
  };

  void fill(TextTrace& trace, const TraceOptions& options) const override {
    const std::vector<int32_t> ids = model_.encode_source(trace.text);
    trace.cell = name_of(model_.options().cell);
    trace.tokens = model_.source.tokenizer->tokens(trace.text);
    trace.tokens.emplace_back(Vocabulary::kEndToken);
    const Written written = choose(trace, ids, options);
    for (const int32_t id : written.ids) trace.target_tokens.push_back(model_.target.vocabulary.token(id));
    trace.translation = model_.decode_target(written.ids);
    decode(trace, ids, written, options.alternatives);
    if (options.gradient) add_gradient(trace, ids, written, *options.gradient);
  }

  Written choose(TextTrace& trace, const std::vector<int32_t>& ids, const TraceOptions& options) const {
    Written written;
    if (options.target) {
      written.ids = model_.encode_target(*options.target);
    } else if (ids.size() > 1) {  // an empty text has an empty translation
      BeamOptions search = options.search;
      search.forbidden.push_back(Vocabulary::kUnknown);
      BeamRecord record(model_.target, trace.beam);
      TranslatorSearch model(model_, backend(), std::span(&ids, 1));
      std::vector<Hypothesis> found =
          beam_search(model, search, [&](int64_t, std::span<const BeamChoice> kept) {
            record.add(kept);
          }).front();
      written = {.ids = std::move(found.front().ids), .ended = found.front().ended};
    }
    if (written.ended) written.ids.push_back(model_.target.end());
    return written;
  }

  // The steps that the decoder went to write this, once more and traced.
  void decode(TextTrace& trace, const std::vector<int32_t>& ids, const Written& written,
              int64_t alternatives) const {
    const TranslatorNetwork& network = *model_.network;
    Tape tape(backend(), plain());
    TranslatorMemory memory = network.encode(tape, ids, Packing(std::vector{source_steps(ids)}));
    const int32_t source = 0;
    DecoderState state = network.begin(memory, std::span(&source, 1));
    const auto steps = static_cast<int64_t>(written.ids.size());
    if (memory.attention.keys) trace.attention = Tensor({steps, source_steps(ids)});
    std::vector<RecurrentTrace> traces;
    int32_t before = model_.target.end();
    for (int64_t t = 0; t < steps; ++t) {
      Tape one(backend(), plain());
      DecoderStep step = network.step(one, memory, state, std::span(&before, 1), std::span(&source, 1));
      before = written.ids[static_cast<size_t>(t)];
      for (RecurrentTrace& layer : step.traces) {
        layer.stage = t;
        traces.push_back(std::move(layer));
      }
      if (step.attention) {
        std::copy_n(step.attention.data<float>(), source_steps(ids),
                    trace.attention.data<float>() + t * source_steps(ids));
      }
      add_outputs(trace, step.log_probabilities, before, alternatives);
      state = std::move(step.state);
    }
    trace.layers = layers_of(memory.traces, traces, source_steps(ids), steps);
    trace.embeddings = memory.embedded;
  }

  static int64_t source_steps(const std::vector<int32_t>& ids) { return static_cast<int64_t>(ids.size()); }

  void add_outputs(TextTrace& trace, const Tensor& log_probabilities, int32_t written,
                   int64_t alternatives) const {
    const std::span<float> row = log_probabilities.values<float>();
    trace.next_probabilities.push_back(std::exp(static_cast<double>(row[static_cast<size_t>(written)])));
    std::vector<Alternative> best = best_alternatives(row, alternatives, model_.target.vocabulary);
    for (Alternative& one : best) one.probability = std::exp(one.probability);
    trace.alternatives.push_back(std::move(best));
  }

  std::vector<LayerTrace> layers_of(const std::vector<RecurrentTrace>& encoder,
                                    const std::vector<RecurrentTrace>& decoder, int64_t source,
                                    int64_t target) const {
    std::vector<LayerTrace> layers =
        layer_traces(encoder, {.name = kEncoder, .options = encoder_, .rows = text_rows(source)});
    const TracedPart part{.name = kDecoder, .options = decoder_, .rows = text_rows(target)};
    for (LayerTrace& layer : layer_traces(decoder, part)) layers.push_back(std::move(layer));
    return layers;
  }

  void add_gradient(TextTrace& trace, const std::vector<int32_t>& ids, const Written& written,
                    const GradientRequest& request) const {
    if (!request.output.empty()) {
      throw_error<ConfigError>("gradient: of a translator it is that of what was written; leave {} out",
                               request.output);
    }
    const auto steps = static_cast<int64_t>(written.ids.size());
    TokenPair pair{.source = ids, .target = written.ids};
    pair.target.pop_back();  // the last is told, never read
    const TokenPair* const pairs[] = {&pair};
    const TranslatorBatch batch = make_translator_batch(pairs, model_.target.end());
    Tape tape(backend(), recording());
    const TranslatorNetwork& network = twin_ ? *twin_->network : *model_.network;
    TranslatorPass pass = network.forward(tape, batch);
    std::vector<int32_t> told = written.ids;
    std::string what = fmt::format("log p({})", trace.translation);
    if (request.step >= 0 && !request.loss) {
      const int64_t step = requested_step(request, steps, 0);
      told = {written.ids[static_cast<size_t>(step)]};
      pass.y = slice(pass.y, {.first_row = step, .rows = 1});
      what = fmt::format("log p({} at step {})", trace.target_tokens[static_cast<size_t>(step)], step);
    }
    run_backward(trace, tape, network.loss(pass, std::move(told), request.loss ? 1 : -1),
                 request.loss ? "loss: -" + what : what);
    trace.d_tokens = gradient_of(pass.source);
    trace.d_target_tokens = gradient_of(pass.words);
    take_gradients(trace.layers, layers_of(pass.encoder, pass.decoder, source_steps(ids), steps));
  }

  TranslatorModel model_;
  RecurrentOptions encoder_, decoder_;
  std::optional<TranslatorModel> twin_;
};

}  // namespace

std::unique_ptr<TracedModel> traced_translator(const ModelFile& file, const std::string& path,
                                               Backend& backend, const InferenceOptions& inference) {
  return std::make_unique<TracedTranslator>(file, path, backend, inference);
}

}  // namespace rondo
