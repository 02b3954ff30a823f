#include "models/language_network.h"

#include <charconv>

#include "base/errors.h"
#include "layers/dropout.h"
#include "layers/initialize.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

constexpr int64_t kMostOneHot = 4096;

EmbeddingShape table_shape(const LanguageModelOptions& options, int64_t vocabulary, DType type) {
  if (options.one_hot() && vocabulary > kMostOneHot) {
    throw_error<ConfigError>(
        "--embedding 0: unit vectors of {} tokens are too long; give a size, such as 128", vocabulary);
  }
  // Of a table that is the output layer too, every row moves with every step.
  return {.vocabulary = vocabulary,
          .dimension = options.embedding_size(vocabulary),
          .type = type,
          .sparse = !options.tied};
}

void fill_identity(const Tensor& table) {
  table.fill(0);
  const int64_t size = table.dim(0);
  for (int64_t i = 0; i < size; ++i) table.data<float>()[i * size + i] = 1;
}

}  // namespace

std::vector<int64_t> LanguageModelOptions::cutoffs() const {
  std::vector<int64_t> ends;
  for (const std::string& text : adaptive) {
    int64_t end = 0;
    const char* last = text.data() + text.size();
    if (std::from_chars(text.data(), last, end).ptr != last || end <= (ends.empty() ? 0 : ends.back())) {
      throw_error<ConfigError>("--adaptive: {} is no rising number; write 2000,10000", text);
    }
    ends.push_back(end);
  }
  return ends;
}

void LanguageModelOptions::check() const {
  recurrent.check();
  const LanguageModelOptions defaults;
  const int64_t width = recurrent.output();
  if (recurrent.bidirectional && recurrent.layers > 1) {
    throw_error<ConfigError>(
        "--bidirectional: a language model of both directions has one layer; a second one would see what it "
        "has to "
        "tell");
  }
  if (one_hot() && tied)
    throw_error<ConfigError>("--tied: there are no embeddings to share with --embedding 0");
  if (one_hot() && embedding_range != defaults.embedding_range) {
    throw_error<ConfigError>("--embedding-range has no effect with --embedding 0");
  }
  if (tied && width != embedding) {
    throw_error<ConfigError>(
        "--tied: the last layer has {} outputs, an embedding {} numbers; make them equal by --embedding, "
        "--last-hidden or --projection",
        width, embedding);
  }
  if (tied && !adaptive.empty()) throw_error<ConfigError>("--tied and --adaptive: choose one of them");
  cutoffs();
}

LanguageNetwork::LanguageNetwork(const LanguageModelOptions& options, int64_t vocabulary, DType type)
    : options_(options),
      vocabulary_(vocabulary),
      embedding_(parameters_, table_shape(options, vocabulary, type)),
      recurrent_(parameters_, options.embedding_size(vocabulary), options.recurrent, type) {
  options_.check();
  if (options_.one_hot()) embedding_.table().trainable = false;
  output_.emplace(parameters_,
                  SoftmaxShape{.input = options_.recurrent.output(),
                               .vocabulary = vocabulary,
                               .cutoffs = options_.cutoffs(),
                               .type = type},
                  options_.tied ? &embedding_.table() : nullptr);
}

void LanguageNetwork::initialize(const Stream& stream) {
  if (options_.one_hot()) {
    fill_identity(embedding_.table().value);
  } else {
    const double range = options_.embedding_range;
    initialize_uniform(embedding_.table().value, -range, range, stream.sub(0));
  }
  recurrent_.initialize(stream.sub(1));
  output_->initialize(options_.recurrent.init, stream.sub(2));
}

void LanguageNetwork::prepare(Backend& backend, Precision precision, int64_t max_table_bytes) {
  const bool table = recurrent_.table_bytes(vocabulary_) <= max_table_bytes;
  prepared_ = recurrent_.prepare(backend, precision, table ? embedding_.table().value : Tensor());
}

LanguagePass LanguageNetwork::forward(Tape& tape, std::span<const int32_t> ids, const Packing& packing,
                                      const RecurrentState& state) const {
  const bool plain = !tape.options().recording && !tape.options().training;
  RecurrentInput input;
  if (plain && prepared_ && prepared_->backend == &tape.backend()) input.prepared = &*prepared_;
  if (input.prepared != nullptr && input.prepared->table_rows > 0 && !ids.empty() &&
      !tape.options().tracing) {
    embedding_.check(ids);
    input.ids = ids;
  } else {
    input.x = observed(embedding_.forward(tape, ids, options_.embedding_dropout));
  }
  RecurrentOutput output = recurrent_.forward(tape, input, packing, state);
  return {.packing = packing,
          .ids = {ids.begin(), ids.end()},
          .raw = output.y,
          .y = locked_dropout(output.y, packing, options_.output_dropout),
          .final = std::move(output.final),
          .traces = std::move(output.traces),
          .embedded = tape.options().tracing ? input.x.x : Variable()};
}

Variable LanguageNetwork::loss(const LanguagePass& pass, std::vector<int32_t> targets, double scale) const {
  const Precision precision = options_.recurrent.precision;
  if (!options_.recurrent.bidirectional) return output_->loss(pass.y, std::move(targets), scale, precision);
  const Variable forwards = slice(pass.y, {.columns = options_.recurrent.output()});
  return add(output_->loss(forwards, std::move(targets), scale / 2, precision),
             loss_backwards(pass, scale / 2));
}

// The state at step t has read from the end down to t: it tells the token of step t - 1. Packed rows of the
// steps from 1 on are neighbours.
Variable LanguageNetwork::loss_backwards(const LanguagePass& pass, double scale) const {
  const PackedRows rows = pass.packing.rows();
  std::vector<int32_t> before;
  for (int64_t t = 1; t < rows.steps(); ++t) {
    for (int64_t n = 0; n < rows.count(t); ++n)
      before.push_back(pass.ids[static_cast<size_t>(rows.row(t - 1, n))]);
  }
  const auto count = static_cast<int64_t>(before.size());
  const int64_t width = options_.recurrent.output();
  const Variable backwards = slice(
      pass.y,
      {.first_row = pass.packing.num_rows() - count, .rows = count, .first_column = width, .columns = width});
  return output_->loss(backwards, std::move(before), scale, options_.recurrent.precision);
}

Tensor LanguageNetwork::losses(const LanguagePass& pass, std::vector<int32_t> targets) const {
  if (!options_.recurrent.bidirectional) return output_->losses(pass.y, std::move(targets));
  return output_->losses(slice(pass.y, {.columns = options_.recurrent.output()}), std::move(targets));
}

std::unique_ptr<LanguageNetwork> LanguageNetwork::cast(DType type) const {
  auto copy = std::make_unique<LanguageNetwork>(options_, vocabulary_, type);
  for (const Parameter& parameter : parameters_.all()) {
    copy->parameters_.find(parameter.name).value = parameter.value.to(type);
  }
  return copy;
}

}  // namespace rondo
