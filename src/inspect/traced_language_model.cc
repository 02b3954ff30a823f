#include <cmath>

#include "base/errors.h"
#include "inference/output_row.h"
#include "inspect/traced_model.h"
#include "storage/language_model_file.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

class TracedLanguageModel : public TracedModel {
 public:
  TracedLanguageModel(const ModelFile& file, const std::string& path, Backend& backend,
                      const InferenceOptions& inference)
      : TracedModel(file, path, backend, inference),
        model_(unpack_language_model(file, path)),
        output_(std::make_shared<OutputWeights>(*model_.network)) {
    model_.network->prepare(backend, precision());
    freeze(model_.network->parameters());
    if (!has_twin()) return;
    twin_ = unpack_language_model(twin_of(file), path);
    freeze(twin_->network->parameters());
  }

  const RecurrentStack* stack(const std::string& part) const override {
    return part.empty() ? &model_.network->recurrent() : nullptr;
  }

 private:
  const RecurrentOptions& recurrent() const { return model_.options().recurrent; }

  void fill(TextTrace& trace, const TraceOptions& options) const override {
    std::vector<int32_t> ids = model_.encode(trace.text);
    ids.insert(ids.begin(), model_.end());
    const auto steps = static_cast<int64_t>(ids.size());
    trace.cell = name_of(recurrent().cell);
    trace.tokens = model_.tokenizer->tokens(trace.text);
    trace.tokens.insert(trace.tokens.begin(), Vocabulary::kEndToken);

    Tape tape(backend(), plain());
    const LanguagePass pass = model_.network->forward(tape, ids, Packing(std::vector{steps}));
    trace.layers = layers_of(pass, steps);
    trace.embeddings = pass.embedded.value();
    add_outputs(trace, pass, options.alternatives);
    if (options.gradient) add_gradient(trace, ids, *options.gradient);
  }

  std::vector<LayerTrace> layers_of(const LanguagePass& pass, int64_t steps) const {
    return layer_traces(pass.traces, {.name = "", .options = recurrent(), .rows = text_rows(steps)});
  }

  // What tells the next token: the first direction's output of some steps.
  Variable forwards(const LanguagePass& pass, int64_t first, int64_t count) const {
    return slice(pass.y, {.first_row = first, .rows = count, .columns = recurrent().output()});
  }

  void add_outputs(TextTrace& trace, const LanguagePass& pass, int64_t alternatives) const {
    OutputRow row(output_, backend());
    trace.alternatives.resize(pass.ids.size());
    for (int64_t t = 0; alternatives > 0 && t < pass.packing.num_rows(); ++t) {
      row.scores({pass.y.matrix().row<float>(t), static_cast<size_t>(recurrent().output())});
      trace.alternatives[static_cast<size_t>(t)] =
          best_alternatives(row.probabilities(), alternatives, model_.vocabulary);
    }
    const std::span<const int32_t> next = std::span(pass.ids).subspan(1);
    if (next.empty()) return;
    const Tensor losses =
        model_.network->output().losses(forwards(pass, 0, static_cast<int64_t>(next.size())), next);
    for (const float loss : losses.values<float>()) {
      trace.next_probabilities.push_back(std::exp(-static_cast<double>(loss)));
    }
  }

  int32_t wanted_token(const TextTrace& trace, const std::vector<int32_t>& ids, int64_t step,
                       const std::string& output) const {
    const auto next = static_cast<size_t>(step) + 1;
    if (output.empty() && next < ids.size()) return ids[next];
    if (output.empty() && trace.alternatives[next - 1].empty()) {
      throw_error<ConfigError>("gradient: nothing comes after step {}; say which token is meant", step);
    }
    const std::string token = output.empty() ? trace.alternatives[next - 1].front().token : output;
    const int32_t id = model_.vocabulary.id(token);
    if (id != Vocabulary::kUnknown || token == Vocabulary::kUnknownToken) return id;
    throw_error<ConfigError>("gradient: {} has no token {}; rondo info {} lists them", path(), token, path());
  }

  void add_gradient(TextTrace& trace, const std::vector<int32_t>& ids, const GradientRequest& request) const {
    const auto steps = static_cast<int64_t>(ids.size());
    if (request.loss && steps < 2) {
      throw_error<ConfigError>("gradient: a text without tokens has no loss");
    }
    Tape tape(backend(), recording());
    const LanguageModel& model = twin_ ? *twin_ : model_;
    const LanguagePass pass = model.network->forward(tape, ids, Packing(std::vector{steps}));
    const Precision precision = model.options().recurrent.precision;
    if (request.loss) {
      const std::vector<int32_t> targets(ids.begin() + 1, ids.end());
      run_backward(trace, tape,
                   model.network->output().loss(forwards(pass, 0, steps - 1), targets, 1, precision), "loss");
    } else {
      const int64_t step = requested_step(request, steps, std::max<int64_t>(steps - 2, 0));
      const int32_t token = wanted_token(trace, ids, step, request.output);
      run_backward(trace, tape, model.network->output().loss(forwards(pass, step, 1), {token}, -1, precision),
                   fmt::format("log p({} after step {})", model_.vocabulary.token(token), step));
    }
    trace.d_tokens = gradient_of(pass.embedded);
    take_gradients(trace.layers, layers_of(pass, steps));
  }

  LanguageModel model_;
  std::shared_ptr<const OutputWeights> output_;
  std::optional<LanguageModel> twin_;
};

}  // namespace

std::unique_ptr<TracedModel> traced_language_model(const ModelFile& file, const std::string& path,
                                                   Backend& backend, const InferenceOptions& inference) {
  return std::make_unique<TracedLanguageModel>(file, path, backend, inference);
}

}  // namespace rondo
