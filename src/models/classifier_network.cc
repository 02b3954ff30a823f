#include "models/classifier_network.h"

#include "base/errors.h"
#include "layers/grid.h"
#include "tensor/operations.h"

namespace rondo {

void ClassifierOptions::check() const {
  recurrent.check();
  const ClassifierOptions defaults;
  if (recurrent.init == Initialization::kKeras &&
      (embedding_mean != defaults.embedding_mean || embedding_deviation != defaults.embedding_deviation)) {
    throw_error<ConfigError>(
        "--embedding-mean and --embedding-deviation have no effect here: --init keras draws embeddings from "
        "U(+-0.05)");
  }
}

ClassifierNetwork::ClassifierNetwork(const ClassifierOptions& options, int64_t vocabulary, int64_t labels,
                                     DType type)
    : options_(options),
      vocabulary_(vocabulary),
      labels_(labels),
      embedding_(parameters_, {vocabulary, options.embedding, type}),
      recurrent_(parameters_, options.embedding, options.recurrent, type) {
  options_.check();
  if (options_.pool == PoolKind::kAttention) attention_.emplace(parameters_, recurrent_.output_size(), type);
  linear_.emplace(parameters_, "linear", LinearShape{pooled_size(), labels, type});
}

int64_t ClassifierNetwork::pooled_size() const {
  return recurrent_.output_size() * (options_.pool == PoolKind::kConcat ? 3 : 1);
}

void ClassifierNetwork::initialize(const Stream& stream) {
  const Initialization rule = options_.recurrent.init;
  if (rule == Initialization::kKeras) {
    initialize_uniform(embedding_.table().value, -0.05, 0.05, stream.sub(0));
  } else {
    initialize_normal(embedding_.table().value, options_.embedding_mean, options_.embedding_deviation,
                      stream.sub(0));
  }
  recurrent_.initialize(stream.sub(1));
  if (attention_) attention_->initialize(rule, stream.sub(2));
  linear_->initialize(rule, stream.sub(3));
}

Variable ClassifierNetwork::pooled(const RecurrentOutput& output, const Packing& packing, Precision precision,
                                   ClassifierPass& pass) const {
  // The state at each sequence's own end, directions side by side: not the last column of a padded output.
  const auto final = [&] {
    if (recurrent_.grid() != nullptr) return final_rows(output.y, packing, options_.recurrent);
    const std::vector<Variable>& h = output.final.h;
    return concatenate(std::span(h).last(static_cast<size_t>(options_.recurrent.directions())));
  };
  switch (options_.pool) {
    case PoolKind::kFinal:
      return final();
    case PoolKind::kMean:
      return pool(Pool::kMean, output.y, packing);
    case PoolKind::kMax:
      return pool(Pool::kMax, output.y, packing);
    case PoolKind::kAttention: {
      const Attended attended = attention_->forward(output.y, packing, precision);
      pass.attention = attended.weights;
      return attended.y;
    }
    case PoolKind::kConcat: {
      const Variable parts[] = {final(), pool(Pool::kMean, output.y, packing),
                                pool(Pool::kMax, output.y, packing)};
      return concatenate(parts);
    }
  }
  throw_error<ConfigError>("pool: unknown kind");
}

void ClassifierNetwork::prepare(Backend& backend, Precision precision, int64_t max_table_bytes) {
  const bool table = recurrent_.table_bytes(vocabulary_) <= max_table_bytes;
  prepared_ = recurrent_.prepare(backend, precision, table ? embedding_.table().value : Tensor());
}

const PreparedStack* ClassifierNetwork::prepared_for(const Tape& tape) const {
  const bool plain = !tape.options().recording && !tape.options().training;
  return plain && prepared_ && prepared_->backend == &tape.backend() ? &*prepared_ : nullptr;
}

RecurrentInput ClassifierNetwork::recurrent_input(Tape& tape, std::span<const int32_t> ids) const {
  const PreparedStack* prepared = prepared_for(tape);
  // A trace shows what the layers read, which a table of their inputs does not hold; the bits are the same.
  if (prepared != nullptr && prepared->table_rows > 0 && !ids.empty() && !tape.options().tracing) {
    embedding_.check(ids);
    return {.ids = ids, .prepared = prepared};
  }
  return {.x = observed(embedding_.forward(tape, ids, options_.embedding_dropout)), .prepared = prepared};
}

ClassifierPass ClassifierNetwork::forward(Tape& tape, std::span<const int32_t> ids,
                                          const Packing& packing) const {
  const RecurrentInput input = recurrent_input(tape, ids);
  RecurrentOutput output = recurrent_.forward(tape, input, packing);
  ClassifierPass pass;
  const Precision inside = input.prepared ? input.prepared->precision : options_.recurrent.precision;
  // int8 is for the recurrent weights: outside, rows are no bounded states, and the products are small.
  const Precision outside = inside == Precision::kInt8 ? Precision::kFloat32 : inside;
  pass.logits = linear_->forward(dropout(pooled(output, packing, outside, pass), options_.output_dropout));
  pass.traces = std::move(output.traces);
  if (tape.options().tracing) pass.embedded = input.x.x;
  return pass;
}

std::unique_ptr<ClassifierNetwork> ClassifierNetwork::cast(DType type) const {
  auto copy = std::make_unique<ClassifierNetwork>(options_, vocabulary_, labels_, type);
  for (const Parameter& parameter : parameters_.all()) {
    copy->parameters_.find(parameter.name).value = parameter.value.to(type);
  }
  return copy;
}

}  // namespace rondo
