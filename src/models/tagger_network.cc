#include "models/tagger_network.h"

#include <algorithm>

#include "base/errors.h"
#include "layers/dropout.h"
#include "tensor/operations.h"
#include "text/casing.h"

namespace rondo {

namespace {

std::vector<CrfPath> best_of_rows(const Variable& scores, const Packing& packing) {
  const ConstMatrix m = scores.matrix();
  std::vector<CrfPath> paths(packing.order().size());
  for (int64_t n = 0; n < packing.sequences(); ++n) {
    CrfPath& path = paths[static_cast<size_t>(packing.order()[n])];
    for (int64_t t = 0; t < packing.length(n); ++t) {
      const float* row = m.row<float>(packing.rows().row(t, n));
      const float* best = std::max_element(row, row + m.columns);
      path.labels.push_back(static_cast<int32_t>(best - row));
      path.score += *best;
    }
  }
  return paths;
}

}  // namespace

TaggerNetwork::TaggerNetwork(const TaggerOptions& options, TaggerShape shape)
    : options_(options), shape_(std::move(shape)) {
  options_.check();
  const DType type = shape_.type;
  const auto labels = static_cast<int64_t>(shape_.labels.size());
  if (options_.embedding > 0)
    embedding_.emplace(parameters_, EmbeddingShape{shape_.words, options_.embedding, type});
  if (options_.characters != CharacterPart::kNone) {
    characters_.emplace(parameters_, options_, shape_.characters, type);
  }
  if (options_.casing > 0) {
    casing_.emplace(parameters_.under("casing."), EmbeddingShape{kNumCasings, options_.casing, type});
    parameters_.under("");
  }
  recurrent_.emplace(parameters_, options_.input_size(), options_.recurrent, type);
  int64_t width = recurrent_->output_size();
  if (options_.tanh > 0) {
    hidden_.emplace(parameters_, "hidden", LinearShape{width, options_.tanh, type});
    width = options_.tanh;
  }
  linear_.emplace(parameters_, "linear", LinearShape{width, labels, type});
  const bool learnt = options_.output == TaggerOutput::kCrf;
  chain_.emplace(learnt ? parameters_ : fixed_, CrfShape{labels, type},
                 CrfConstraints(options_.tag_scheme(), shape_.labels));
  for (Parameter& parameter : fixed_.all()) parameter.trainable = false;
}

void TaggerNetwork::initialize(const Stream& stream) {
  const Initialization rule = options_.recurrent.init;
  if (embedding_)
    initialize_normal(embedding_->table().value, 0, options_.embedding_deviation, stream.sub(0));
  if (characters_) characters_->initialize(stream.sub(1));
  if (casing_) initialize_normal(casing_->table().value, 0, options_.embedding_deviation, stream.sub(2));
  recurrent_->initialize(stream.sub(3));
  if (hidden_) hidden_->initialize(rule, stream.sub(4));
  linear_->initialize(rule, stream.sub(5));
  if (options_.output == TaggerOutput::kCrf) chain_->initialize(rule, stream.sub(6));
}

// The ids to look up: in training, some words that occur once are read as the unknown one.
std::vector<int32_t> TaggerNetwork::dropped(Tape& tape, const TaggerWords& words) const {
  std::vector<int32_t> ids = words.ids;
  if (options_.word_dropout == 0 || !tape.options().training || words.rare.empty()) return ids;
  const Stream stream = tape.next_stream();
  for (size_t u = 0; u < ids.size(); ++u) {
    const bool drops = stream.uniform(static_cast<uint64_t>(ids[u])) < options_.word_dropout;
    if (words.rare[u] != 0 && drops) ids[u] = Vocabulary::kUnknown;
  }
  return ids;
}

Variable TaggerNetwork::features(Tape& tape, const TaggerWords& words, CharacterPass& pass) const {
  std::vector<Variable> parts;
  if (embedding_) parts.push_back(gather(embedding_->forward(tape, dropped(tape, words))));
  if (characters_) parts.push_back(characters_->forward(tape, words, &pass));
  if (casing_) parts.push_back(gather(casing_->forward(tape, words.casings)));
  return concatenate(parts);
}

TaggerPass TaggerNetwork::forward(Tape& tape, const TaggerBatchWords& batch, const Packing& packing) const {
  const bool plain = !tape.options().recording && !tape.options().training;
  TaggerPass pass;
  RecurrentInput input{.x = observed({features(tape, batch.words, pass.characters), batch.rows})};
  if (plain && prepared_ && prepared_->backend == &tape.backend()) input.prepared = &*prepared_;
  RecurrentOutput output = recurrent_->forward(tape, input, packing);
  pass.traces = std::move(output.traces);
  if (tape.options().tracing) pass.features = input.x.x;
  const Variable& y = output.y;
  Variable x = options_.recurrent.locked_dropout ? locked_dropout(y, packing, options_.output_dropout)
                                                 : dropout(y, options_.output_dropout);
  if (hidden_) x = activate(Activation::kTanh, hidden_->forward(x));
  pass.scores = linear_->forward(x);
  return pass;
}

Variable TaggerNetwork::loss(const Variable& scores, std::vector<int32_t> targets, const Packing& packing,
                             double scale) const {
  const Variable losses = options_.output == TaggerOutput::kCrf
                              ? chain_->loss(scores, std::move(targets), packing)
                              : softmax_cross_entropy(scores, std::move(targets)).losses;
  const Tensor weights(losses.shape(), losses.value().type());
  weights.fill(scale);
  return weighted_sum(losses, weights);
}

std::vector<CrfPath> TaggerNetwork::decode(const Variable& scores, const Packing& packing) const {
  const bool rows_alone = options_.output == TaggerOutput::kSoftmax && chain_->constraints().empty() &&
                          scores.value().type() == DType::kFloat32;
  return rows_alone ? best_of_rows(scores, packing) : chain_->decode(scores, packing);
}

void TaggerNetwork::prepare(Backend& backend, Precision precision) {
  prepared_ = recurrent_->prepare(backend, precision);
  if (characters_) characters_->prepare(backend);
}

void TaggerNetwork::forget_prepared() {
  prepared_.reset();
  if (characters_) characters_->forget_prepared();
}

std::unique_ptr<TaggerNetwork> TaggerNetwork::cast(DType type) const {
  TaggerShape shape = shape_;
  shape.type = type;
  auto copy = std::make_unique<TaggerNetwork>(options_, std::move(shape));
  for (const Parameter& parameter : parameters_.all()) {
    copy->parameters_.find(parameter.name).value = parameter.value.to(type);
  }
  return copy;
}

}  // namespace rondo
