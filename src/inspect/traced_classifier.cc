#include <algorithm>

#include "base/errors.h"
#include "inference/classifier_head.h"
#include "inspect/traced_model.h"
#include "layers/recurrent_stream.h"
#include "storage/classifier_file.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

// Rows of a batch of prefixes.
constexpr int64_t kMostRows = 8192;

class TracedClassifier : public TracedModel {
 public:
  TracedClassifier(const ModelFile& file, const std::string& path, Backend& backend,
                   const InferenceOptions& inference)
      : TracedModel(file, path, backend, inference), model_(unpack_classifier(file, path)) {
    prepare(model_, backend, inference);
    freeze(model_.network->parameters());
    if (!has_twin()) return;
    twin_ = unpack_classifier(twin_of(file), path);
    freeze(twin_->network->parameters());
  }

  const RecurrentStack* stack(const std::string& part) const override {
    return part.empty() ? &model_.network->recurrent() : nullptr;
  }

 private:
  void fill(TextTrace& trace, const TraceOptions& options) const override {
    const std::vector<int32_t> ids = model_.encode(trace.text);
    const auto steps = static_cast<int64_t>(ids.size());
    trace.cell = name_of(model_.options().recurrent.cell);
    trace.tokens = model_.tokenizer->tokens(trace.text);
    trace.tokens.resize(ids.size());
    trace.labels = model_.labels.names();

    Tape tape(backend(), plain());
    const ClassifierPass pass = model_.network->forward(tape, ids, Packing(std::vector{steps}));
    trace.layers = layers_of(pass, steps);
    trace.embeddings = pass.embedded.value();
    trace.output = probabilities_of(model_, backend(), pass.logits);
    if (pass.attention) trace.attention = pass.attention.reshape({1, steps});
    trace.predictions = predictions(ids, options);
    if (options.gradient) add_gradient(trace, ids, *options.gradient);
  }

  std::vector<LayerTrace> layers_of(const ClassifierPass& pass, int64_t steps) const {
    return layer_traces(pass.traces,
                        {.name = "", .options = model_.options().recurrent, .rows = text_rows(steps)});
  }

  Tensor predictions(const std::vector<int32_t>& ids, const TraceOptions& options) const {
    const ClassifierOptions& own = model_.options();
    if (!own.recurrent.bidirectional && own.pool != PoolKind::kAttention) return as_it_comes(ids);
    if (static_cast<int64_t>(ids.size()) > options.max_prefixes) return {};
    return prefix_by_prefix(ids);
  }

  // One direction, and a pooling that goes on: the text is read once.
  Tensor as_it_comes(const std::vector<int32_t>& ids) const {
    const auto stack = prepare_streams(model_, backend(), precision());
    const ClassifierNetwork& network = *model_.network;
    RecurrentStream stream(network.recurrent(), network.embedding().table().value, backend(), stack);
    ClassifierHead head(model_, backend());
    const int64_t labels = model_.labels.size();
    const Tensor all({static_cast<int64_t>(ids.size()), labels});
    for (int64_t t = 0; t < all.dim(0); ++t) {
      head.add(stream.read(std::span(ids).subspan(static_cast<size_t>(t), 1)), t);
      std::ranges::copy(head.probabilities(stream.output(), t + 1), all.data<float>() + t * labels);
    }
    return all;
  }

  Tensor prefix_by_prefix(const std::vector<int32_t>& ids) const {
    const int64_t labels = model_.labels.size();
    const auto steps = static_cast<int64_t>(ids.size());
    const Tensor all({steps, labels});
    for (int64_t first = 0; first < steps;) {
      std::vector<std::vector<int32_t>> prefixes;
      for (int64_t rows = 0; first + static_cast<int64_t>(prefixes.size()) < steps && rows < kMostRows;) {
        const auto end = first + static_cast<int64_t>(prefixes.size()) + 1;
        prefixes.emplace_back(ids.begin(), ids.begin() + end);
        rows += end;
      }
      const Tensor part = predict_probabilities(model_, backend(), prefixes);
      std::ranges::copy(part.values<float>(), all.data<float>() + first * labels);
      first += part.dim(0);
    }
    return all;
  }

  int32_t wanted_label(const TextTrace& trace, const GradientRequest& request) const {
    if (request.output.empty()) return largest(trace.output.values<float>(), 1).front();
    const auto found = std::ranges::find(trace.labels, request.output);
    if (found == trace.labels.end()) {
      throw_error<ConfigError>("gradient: {} has no label {}; rondo info {} lists them", path(),
                               request.output, path());
    }
    return static_cast<int32_t>(found - trace.labels.begin());
  }

  // [1]: scale * log p of one label.
  Variable log_probability(const Variable& logits, int32_t label, double scale) const {
    Tensor weight({1});
    weight.fill(-scale);
    if (!model_.labels.multi()) {
      return weighted_sum(softmax_cross_entropy(logits, {label}).losses, weight);
    }
    Tensor holds({1, 1});
    holds.fill(1);
    const Variable own = slice(logits, {.first_column = label, .columns = 1});
    return weighted_sum(sigmoid_cross_entropy(own, holds).losses, weight);
  }

  void add_gradient(TextTrace& trace, const std::vector<int32_t>& ids, const GradientRequest& request) const {
    const int32_t label = wanted_label(trace, request);
    const auto steps = static_cast<int64_t>(ids.size());
    Tape tape(backend(), recording());
    const ClassifierNetwork& network = twin_ ? *twin_->network : *model_.network;
    const ClassifierPass pass = network.forward(tape, ids, Packing(std::vector{steps}));
    const std::string what = fmt::format("log p({})", model_.labels.name(label));
    run_backward(trace, tape, log_probability(pass.logits, label, request.loss ? -1 : 1),
                 request.loss ? "loss: -" + what : what);
    trace.d_tokens = gradient_of(pass.embedded);
    take_gradients(trace.layers, layers_of(pass, steps));
  }

  ClassifierModel model_;
  std::optional<ClassifierModel> twin_;
};

}  // namespace

std::unique_ptr<TracedModel> traced_classifier(const ModelFile& file, const std::string& path,
                                               Backend& backend, const InferenceOptions& inference) {
  return std::make_unique<TracedClassifier>(file, path, backend, inference);
}

}  // namespace rondo
