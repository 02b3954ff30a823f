#include "layers/attention.h"

#include <memory>

#include "base/errors.h"
#include "layers/linear.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

// What the forward pass leaves for the backward pass, and what keeps its memory alive.
struct Pass {
  Score score = Score::kDot;
  Packing packing;
  std::vector<int32_t> sources;
  Variable queries, keys, values, v, centers;
  double deviation = 1;
  Tensor weights, shares, contexts;

  AttentionOperands operands() const {
    return {.score = score,
            .rows = packing.rows(),
            .sources = sources,
            .queries = queries.matrix(),
            .keys = keys.matrix(),
            .values = values.matrix(),
            .v = v.matrix(),
            .centers = centers.matrix(),
            .deviation = deviation};
  }
};

void allocate(Pass& pass) {
  const DType type = pass.keys.value().type();
  const int64_t queries = pass.queries.matrix().rows, steps = pass.packing.rows().steps();
  pass.weights = Tensor({queries, steps}, type);
  if (pass.centers) pass.shares = Tensor({queries, steps}, type);
  pass.contexts = Tensor({queries, pass.values.matrix().columns}, type);
}

void backward(Backend& backend, const Pass& pass, const Gradients& g) {
  backend.attention_backward({.in = pass.operands(),
                              .weights = pass.weights.matrix(),
                              .shares = pass.shares.matrix(),
                              .d_contexts = g.result(0),
                              .d_weights = g.result(1),
                              .d_queries = g.input(0),
                              .d_keys = g.input(1),
                              .d_values = g.input(2),
                              .d_v = g.input(3),
                              .d_centers = g.input(4)});
}

}  // namespace

Attention::Attention(ParameterSet& set, const AttentionShape& shape) : shape_(shape) {
  const auto add = [&](const char* name, Shape sizes) {
    return &set.add(name, Tensor::zeros(std::move(sizes), shape.type));
  };
  switch (shape_.score) {
    case AttentionScore::kDot:
      if (shape_.query == shape_.memory) break;
      throw_error<ConfigError>(
          "attention: dot needs queries and memory of one width, got {} and {}; take general", shape_.query,
          shape_.memory);
    case AttentionScore::kGeneral:
      key_ = add("key.weight", {shape_.query, shape_.memory});
      break;
    case AttentionScore::kAdditive:
      query_ = add("query.weight", {shape_.size, shape_.query});
      key_ = add("key.weight", {shape_.size, shape_.memory});
      key_bias_ = add("key.bias", {shape_.size});
      score_ = add("score.weight", {1, shape_.size});
      break;
  }
  if (!local()) return;
  place_ = add("place.weight", {shape_.size, shape_.query});
  place_score_ = add("place_score.weight", {1, shape_.size});
}

void Attention::initialize(Initialization rule, const Stream& stream) {
  const std::pair<Parameter*, Parameter*> layers[] = {
      {key_, key_bias_}, {query_, nullptr}, {score_, nullptr}, {place_, nullptr}, {place_score_, nullptr}};
  for (uint64_t i = 0; i < std::size(layers); ++i) {
    const auto& [weight, bias] = layers[i];
    if (weight == nullptr) continue;
    initialize_linear(rule, weight->value, bias != nullptr ? bias->value : Tensor(), stream.sub(i));
  }
}

AttentionKeys Attention::keys(const Variable& memory, const Packing& packing, Precision precision) const {
  if (memory.matrix().rows != packing.num_rows() || memory.matrix().columns != shape_.memory) {
    throw_error<ShapeError>("attention: the memory must be [{}, {}], got {}", packing.num_rows(),
                            shape_.memory, to_string(memory.shape()));
  }
  if (key_ == nullptr) return {packing, memory, memory};
  Tape& tape = memory.tape();
  const Variable bias = key_bias_ != nullptr ? tape.parameter(*key_bias_) : Variable();
  return {packing, linear(memory, tape.parameter(*key_), bias, precision), memory};
}

Variable Attention::centers(const Variable& queries, Precision precision) const {
  Tape& tape = queries.tape();
  const Variable hidden =
      activate(Activation::kTanh, linear(queries, tape.parameter(*place_), {}, precision));
  return activate(Activation::kSigmoid, linear(hidden, tape.parameter(*place_score_)));
}

AttentionResult Attention::forward(const Variable& queries, const AttentionKeys& keys,
                                   std::span<const int32_t> sources, Precision precision) const {
  Tape& tape = queries.tape();
  Backend& backend = tape.backend();
  auto pass = std::make_shared<Pass>(Pass{.packing = keys.packing,
                                          .sources = {sources.begin(), sources.end()},
                                          .queries = queries,
                                          .keys = keys.keys,
                                          .values = keys.values,
                                          .deviation = shape_.window / 2});
  if (shape_.score == AttentionScore::kAdditive) {
    pass->score = Score::kAdditive;
    pass->queries = linear(queries, tape.parameter(*query_), {}, precision);
    pass->v = tape.parameter(*score_);
  }
  if (local()) pass->centers = centers(queries, precision);
  allocate(*pass);
  backend.attention_forward({.in = pass->operands(),
                             .weights = pass->weights.matrix(),
                             .shares = pass->shares.matrix(),
                             .contexts = pass->contexts.matrix()});
  const std::vector<Variable> results = tape.make_results(
      {pass->contexts, pass->weights}, {pass->queries, pass->keys, pass->values, pass->v, pass->centers},
      [&backend, pass](const Gradients& g) { backward(backend, *pass, g); });
  return {results[0], results[1]};
}

}  // namespace rondo
