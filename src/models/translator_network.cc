#include "models/translator_network.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/errors.h"
#include "layers/dropout.h"
#include "layers/pooling.h"
#include "tensor/operations.h"

namespace rondo {

namespace {

// The kernel's score; none of them without attention.
AttentionScore score_of(AttentionKind kind) {
  switch (kind) {
    case AttentionKind::kDot:
      return AttentionScore::kDot;
    case AttentionKind::kBahdanau:
    case AttentionKind::kConcat:
      return AttentionScore::kAdditive;
    case AttentionKind::kNone:
    case AttentionKind::kGeneral:
    case AttentionKind::kLocal:
      break;
  }
  return AttentionScore::kGeneral;
}

AttentionShape attention_shape(const TranslatorOptions& options, DType type) {
  return {.score = score_of(options.attention),
          .query = options.hidden,
          .memory = options.memory(),
          .size = options.attention_size(),
          .window = options.attention == AttentionKind::kLocal ? options.window : 0,
          .type = type};
}

Variable joined(const Variable& a, const Variable& b) { return concatenate(std::array{a, b}); }

Tensor stacked(const std::vector<Tensor>& parts, int64_t rows) {
  if (parts.empty() || !parts.front()) return {};
  const Tensor all({rows, parts.front().dim(1)}, parts.front().type());
  char* to = static_cast<char*>(all.raw());
  for (const Tensor& part : parts) {
    std::memcpy(to, part.raw(), static_cast<size_t>(part.bytes()));
    to += part.bytes();
  }
  return all;
}

}  // namespace

TranslatorNetwork::TranslatorNetwork(const TranslatorOptions& options, int64_t source, int64_t target,
                                     DType type)
    : options_(options), source_vocabulary_(source), target_vocabulary_(target) {
  options_.check();
  // Of a table that is the output layer too, every row moves with every step.
  const auto table = [&](int64_t vocabulary, bool sparse) {
    return EmbeddingShape{
        .vocabulary = vocabulary, .dimension = options_.embedding, .type = type, .sparse = sparse};
  };
  if (!(options_.joint && options_.tied))
    source_embedding_.emplace(parameters_.under("encoder."), table(source, true));
  encoder_.emplace(parameters_.under("encoder."), options_.embedding, options_.encoder(), type);
  add_bridge(type);
  if (options_.attends())
    attention_.emplace(parameters_.under("attention."), attention_shape(options_, type));
  target_embedding_.emplace(parameters_.under("decoder."), table(target, !options_.tied));
  decoder_.emplace(parameters_.under("decoder."), options_.decoder_input(), options_.decoder(), type);
  const int64_t seen = options_.attends() ? options_.memory() : 0;
  readout_.emplace(parameters_.under(""), "readout",
                   LinearShape{.input = options_.hidden + seen, .output = options_.output(), .type = type});
  output_.emplace(parameters_.under("output."),
                  SoftmaxShape{.input = options_.output(), .vocabulary = target, .type = type},
                  options_.tied ? &target_embedding_->table() : nullptr);
}

void TranslatorNetwork::add_bridge(DType type) {
  if (options_.bridge != Bridge::kDense && options_.bridge != Bridge::kMean) return;
  const LinearShape shape{.input = options_.memory(), .output = options_.hidden, .type = type};
  ParameterSet& set = parameters_.under("bridge.");
  for (int64_t layer = 0; layer < options_.layers; ++layer) {
    bridge_h_.emplace_back(set, fmt::format("h{}", layer), shape);
    if (options_.cell == Cell::kLstm) bridge_c_.emplace_back(set, fmt::format("c{}", layer), shape);
  }
}

void TranslatorNetwork::initialize(const Stream& stream) {
  const double range = options_.embedding_range;
  if (source_embedding_) {
    initialize_uniform(source_embedding_->table().value, -range, range, stream.sub(0));
  }
  initialize_uniform(target_embedding_->table().value, -range, range, stream.sub(1));
  encoder_->initialize(stream.sub(2));
  decoder_->initialize(stream.sub(3));
  if (attention_) attention_->initialize(options_.init, stream.sub(4));
  readout_->initialize(options_.init, stream.sub(5));
  output_->initialize(options_.init, stream.sub(6));
  for (size_t i = 0; i < bridge_h_.size(); ++i) {
    bridge_h_[i].initialize(options_.init, stream.sub(7).sub(i));
    if (!bridge_c_.empty()) bridge_c_[i].initialize(options_.init, stream.sub(8).sub(i));
  }
}

void TranslatorNetwork::prepare(Backend& backend, Precision precision) {
  prepared_encoder_ = encoder_->prepare(backend, precision);
  prepared_decoder_ = decoder_->prepare(backend, precision);
}

void TranslatorNetwork::forget_prepared() {
  prepared_encoder_.reset();
  prepared_decoder_.reset();
}

const PreparedStack* TranslatorNetwork::prepared(const Tape& tape,
                                                 const std::optional<PreparedStack>& stack) const {
  const bool plain = !tape.options().recording && !tape.options().training;
  return plain && stack && stack->backend == &tape.backend() ? &*stack : nullptr;
}

DistinctRows TranslatorNetwork::embed(Tape& tape, const Embedding& embedding, std::span<const int32_t> ids,
                                      const Packing& packing) const {
  const DistinctRows x = observed(embedding.forward(tape, ids, options_.embedding_dropout));
  const double probability = options_.input_dropout;
  if (probability == 0 || !tape.options().training) return x;
  const Variable all = gather(x);
  return {options_.locked_dropout ? locked_dropout(all, packing, probability) : dropout(all, probability),
          {}};
}

TranslatorNetwork::Encoded TranslatorNetwork::read(Tape& tape, std::span<const int32_t> ids,
                                                   const Packing& packing) const {
  const RecurrentInput input{.x = embed(tape, source_embedding(), ids, packing),
                             .prepared = prepared(tape, prepared_encoder_)};
  RecurrentOutput output = encoder_->forward(tape, input, packing);
  Encoded encoded{.initial = bridge(tape, output, packing), .keys = {}};
  encoded.traces = std::move(output.traces);
  if (tape.options().tracing) encoded.embedded = input.x.x;
  if (attention_) encoded.keys = attention_->keys(output.y, packing, options_.product_precision());
  return encoded;
}

RecurrentState TranslatorNetwork::bridge(Tape& tape, const RecurrentOutput& encoder,
                                         const Packing& packing) const {
  const auto layers = static_cast<size_t>(options_.layers);
  const size_t theirs = static_cast<size_t>(encoder_->options().layers);
  const size_t directions = static_cast<size_t>(encoder_->options().directions());
  // Both directions of the encoder's layer that layer i begins from: the tops go together.
  const auto of_layer = [&](const std::vector<Variable>& states, size_t i) {
    const size_t layer = theirs + i > layers ? theirs + i - layers : 0;
    return concatenate(std::span(states).subspan(layer * directions, directions));
  };
  RecurrentState state;
  const Precision precision = options_.product_precision();
  const bool cells = options_.cell == Cell::kLstm;
  if (options_.bridge == Bridge::kZero) {
    const Tensor zeros = Tensor::zeros({packing.sequences(), options_.hidden}, encoder.y.value().type());
    state.h.assign(layers, tape.input(zeros));
    if (cells) state.c.assign(layers, tape.input(zeros));
    return state;
  }
  const Variable mean = options_.bridge == Bridge::kMean ? pool(Pool::kMean, encoder.y, packing) : Variable();
  for (size_t i = 0; i < layers; ++i) {
    if (options_.bridge == Bridge::kLast) {
      state.h.push_back(of_layer(encoder.final.h, i));
      if (cells) state.c.push_back(of_layer(encoder.final.c, i));
      continue;
    }
    const Variable h = mean ? mean : of_layer(encoder.final.h, i);
    state.h.push_back(activate(Activation::kTanh, bridge_h_[i].forward(h, precision)));
    if (!cells) continue;
    state.c.push_back(bridge_c_[i].forward(mean ? mean : of_layer(encoder.final.c, i), precision));
  }
  return state;
}

TranslatorNetwork::Decoded TranslatorNetwork::advance(Tape& tape, const Encoded& source,
                                                      const Decoded& before, const DecoderRows& rows) const {
  const Precision precision = options_.product_precision();
  const auto attend = [&](const Variable& queries) {
    return attention_->forward(queries, source.keys, rows.sources, precision);
  };
  RecurrentInput input{.x = rows.words, .prepared = prepared(tape, prepared_decoder_)};
  AttentionResult seen;
  if (options_.attention == AttentionKind::kBahdanau) {
    seen = attend(before.state.h.back());
    input.x = {joined(gather(rows.words), seen.contexts), {}};
  } else if (options_.input_feeding) {
    input.x = {joined(gather(rows.words), before.readout), {}};
  }
  RecurrentOutput output = decoder_->forward(tape, input, rows.packing, before.state);
  if (attention_ && !seen.contexts) seen = attend(output.y);
  const Variable told = attention_ ? joined(output.y, seen.contexts) : output.y;
  return {.state = std::move(output.final),
          .readout = activate(Activation::kTanh, readout_->forward(told, precision)),
          .attention = seen.weights ? seen.weights.value() : Tensor(),
          .traces = std::move(output.traces)};
}

TranslatorPass TranslatorNetwork::forward(Tape& tape, const TranslatorBatch& batch,
                                          const TranslatorSampling& sampling) const {
  Encoded source = read(tape, batch.source_ids, batch.source);
  TranslatorPass pass;
  if (options_.stepwise() || sampling.probability > 0) {
    pass = forward_steps(tape, source, batch, sampling.probability);
  } else {
    const std::vector<int32_t> sources = batch.source_of_rows();
    const Decoded begin{.state = gather_rows(source.initial, batch.sources), .readout = {}, .attention = {}};
    const DistinctRows words = embed(tape, *target_embedding_, batch.inputs, batch.target);
    Decoded all = advance(tape, source, begin, {.words = words, .packing = batch.target, .sources = sources});
    pass = {.y = all.readout, .attention = all.attention};
    pass.decoder = std::move(all.traces);
    if (tape.options().tracing) pass.words = words.x;
  }
  pass.encoder = std::move(source.traces);
  pass.source = source.embedded;
  const double probability = options_.output_dropout;
  pass.y = options_.locked_dropout ? locked_dropout(pass.y, batch.target, probability)
                                   : dropout(pass.y, probability);
  return pass;
}

// Sequences end in the order of packed rows: those that are alive are the first rows of every state.
TranslatorPass TranslatorNetwork::forward_steps(Tape& tape, const Encoded& source,
                                                const TranslatorBatch& batch, double sampling) const {
  const PackedRows rows = batch.target.rows();
  Decoded at{.state = gather_rows(source.initial, batch.sources), .readout = {}, .attention = {}};
  at.readout =
      tape.input(Tensor::zeros({rows.sequences, options_.output()}, target_embedding_->table().value.type()));
  const Stream stream = sampling > 0 ? tape.next_stream() : Stream(0);
  const Variable words =
      sampling > 0 ? Variable() : gather(embed(tape, *target_embedding_, batch.inputs, batch.target));
  std::vector<Variable> readouts;
  std::vector<Tensor> attentions;
  TranslatorPass pass;
  for (int64_t t = 0; t < rows.steps(); ++t) {
    const int64_t first = rows.offsets[static_cast<size_t>(t)], count = rows.count(t);
    const Packing packing = one_step(count);
    at.state = first_rows(at.state, count);
    at.readout = first_rows(at.readout, count);
    DecoderRows step{.words = {}, .packing = packing, .sources = std::span(batch.sources).first(count)};
    if (words) {
      step.words.x = slice(words, {.first_row = first, .rows = count});
    } else {
      const auto inputs = std::span<const int32_t>(batch.inputs).subspan(first, count);
      const double probability = t == 0 ? 0 : sampling;
      step.words = embed(tape, *target_embedding_,
                         sampled(inputs, at, probability, stream.sub(static_cast<uint64_t>(t))), packing);
    }
    at = advance(tape, source, at, step);
    readouts.push_back(at.readout);
    attentions.push_back(at.attention);
    for (RecurrentTrace& trace : at.traces) {
      trace.stage = t;
      pass.decoder.push_back(std::move(trace));
    }
  }
  pass.y = stack_rows(readouts);
  pass.attention = stacked(attentions, rows.rows());
  if (tape.options().tracing) pass.words = words;
  return pass;
}

std::vector<int32_t> TranslatorNetwork::sampled(std::span<const int32_t> inputs, const Decoded& before,
                                                double probability, const Stream& stream) const {
  std::vector<int32_t> ids(inputs.begin(), inputs.end());
  if (probability == 0) return ids;
  const Tensor scores = output_->log_probabilities(before.readout, options_.product_precision());
  for (size_t n = 0; n < ids.size(); ++n) {
    if (stream.uniform(n) >= probability) continue;
    int64_t best = 0;
    const int64_t row = static_cast<int64_t>(n) * target_vocabulary_;
    for (int64_t k = 1; k < target_vocabulary_; ++k) {
      if (scores.at(row + k) > scores.at(row + best)) best = k;
    }
    ids[n] = static_cast<int32_t>(best);
  }
  return ids;
}

Variable TranslatorNetwork::loss(const TranslatorPass& pass, std::vector<int32_t> targets, double scale,
                                 double smoothing) const {
  return output_->loss(pass.y, std::move(targets), scale, options_.product_precision(), smoothing);
}

Tensor TranslatorNetwork::losses(const TranslatorPass& pass, std::span<const int32_t> targets) const {
  return output_->losses(pass.y, targets, options_.product_precision());
}

TranslatorMemory TranslatorNetwork::encode(Tape& tape, std::span<const int32_t> ids,
                                           const Packing& packing) const {
  Encoded source = read(tape, ids, packing);
  TranslatorMemory memory{.packing = packing, .attention = {}, .initial = {}};
  memory.traces = std::move(source.traces);
  if (source.embedded) memory.embedded = source.embedded.value();
  if (attention_) memory.attention = {source.keys.keys.value(), source.keys.values.value()};
  memory.initial.h = values_of(source.initial.h);
  memory.initial.c = values_of(source.initial.c);
  if (options_.input_feeding) {
    memory.initial.fed =
        Tensor::zeros({packing.sequences(), options_.output()}, memory.initial.h.front().type());
  }
  return memory;
}

DecoderState TranslatorNetwork::begin(const TranslatorMemory& memory,
                                      std::span<const int32_t> source_of_row) const {
  return select_rows(memory.initial, source_of_row);
}

DecoderStep TranslatorNetwork::step(Tape& tape, const TranslatorMemory& memory, const DecoderState& state,
                                    std::span<const int32_t> previous,
                                    std::span<const int32_t> source_of_row) const {
  if (static_cast<int64_t>(previous.size()) != state.rows() || previous.size() != source_of_row.size()) {
    throw_error<ShapeError>("translator: {} tokens and {} sources for a state of {} rows", previous.size(),
                            source_of_row.size(), state.rows());
  }
  Encoded source;
  if (attention_) {
    source.keys = {memory.packing, tape.input(memory.attention.keys), tape.input(memory.attention.values)};
  }
  Decoded before;
  for (const Tensor& h : state.h) before.state.h.push_back(tape.input(h));
  for (const Tensor& c : state.c) before.state.c.push_back(tape.input(c));
  if (state.fed) before.readout = tape.input(state.fed);
  const Packing packing = one_step(state.rows());
  Decoded after = advance(tape, source, before,
                          {.words = embed(tape, *target_embedding_, previous, packing),
                           .packing = packing,
                           .sources = source_of_row});
  DecoderStep result;
  result.traces = std::move(after.traces);
  result.log_probabilities = output_->log_probabilities(after.readout, options_.product_precision());
  result.attention = after.attention;
  result.state.h = values_of(after.state.h);
  result.state.c = values_of(after.state.c);
  if (options_.input_feeding) result.state.fed = after.readout.value();
  return result;
}

std::unique_ptr<TranslatorNetwork> TranslatorNetwork::cast(DType type) const {
  auto copy = std::make_unique<TranslatorNetwork>(options_, source_vocabulary_, target_vocabulary_, type);
  for (const Parameter& parameter : parameters_.all()) {
    copy->parameters_.find(parameter.name).value = parameter.value.to(type);
  }
  return copy;
}

}  // namespace rondo
