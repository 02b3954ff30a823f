#include "models/tagger_network.h"

#include "base/errors.h"
#include "layers/dropout.h"
#include "tensor/operations.h"
#include "text/casing.h"

namespace rondo {

namespace {

void refuse(bool wrong, const char* option, const char* needs) {
  if (wrong) throw_error<ConfigError>("--{} has no effect here: it needs {}", option, needs);
}

}  // namespace

RecurrentOptions TaggerOptions::character_recurrent() const {
  return {.cell = Cell::kLstm, .hidden = units(), .bidirectional = true, .init = recurrent.init};
}

TagScheme TaggerOptions::tag_scheme() const {
  switch (scheme) {
    case SchemeChoice::kNone:
      return TagScheme::kNone;
    case SchemeChoice::kBio:
      return TagScheme::kBio;
    case SchemeChoice::kBioes:
      return TagScheme::kBioes;
    case SchemeChoice::kAuto:
      break;
  }
  throw_error<ConfigError>("tagger: the scheme must be none, bio or bioes once the labels are known");
}

double TaggerOptions::num_values(double words, double characters_known, double labels) const {
  double total =
      words * static_cast<double>(embedding) + static_cast<double>(kNumCasings) * static_cast<double>(casing);
  const auto per_character = static_cast<double>(character_embedding);
  if (characters != CharacterPart::kNone) total += characters_known * per_character;
  if (characters == CharacterPart::kLstm) total += character_recurrent().num_values(character_embedding);
  if (characters == CharacterPart::kCnn) {
    total += static_cast<double>(units()) * (static_cast<double>(character_window) * per_character + 1);
  }
  total += recurrent.num_values(input_size());
  double width = static_cast<double>(recurrent.directions()) * static_cast<double>(recurrent.output());
  if (tanh > 0) {
    total += static_cast<double>(tanh) * (width + 1);
    width = static_cast<double>(tanh);
  }
  total += labels * (width + 1);
  return total + (output == TaggerOutput::kCrf ? labels * (labels + 2) : 0);
}

void TaggerOptions::check() const {
  recurrent.check();
  const TaggerOptions defaults;
  const bool none = characters == CharacterPart::kNone, cnn = characters == CharacterPart::kCnn;
  if (embedding == 0 && none) {
    throw_error<ConfigError>("--embedding 0 and --characters none: nothing of a word is read; choose one");
  }
  refuse(embedding == 0 && casing == 0 && embedding_deviation != defaults.embedding_deviation,
         "embedding-deviation", "--embedding or --casing");
  refuse(none && character_embedding != defaults.character_embedding, "character-embedding",
         "--characters lstm or cnn");
  refuse(none && character_units != 0, "character-units", "--characters lstm or cnn");
  refuse(none && max_characters != defaults.max_characters, "max-characters", "--characters lstm or cnn");
  refuse(!cnn && character_window != defaults.character_window, "character-window", "--characters cnn");
  if (character_window % 2 == 0) {
    throw_error<ConfigError>("--character-window {}: give an odd number, as 3 or 5", character_window);
  }
  if (convert == TagConversion::kBioes && scheme == SchemeChoice::kBio) {
    throw_error<ConfigError>("--convert bioes and --scheme bio contradict each other; leave --scheme out");
  }
}

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

Variable TaggerNetwork::features(Tape& tape, const TaggerWords& words) const {
  std::vector<Variable> parts;
  if (embedding_) parts.push_back(gather(embedding_->forward(tape, dropped(tape, words))));
  if (characters_) parts.push_back(characters_->forward(tape, words));
  if (casing_) parts.push_back(gather(casing_->forward(tape, words.casings)));
  return concatenate(parts);
}

Variable TaggerNetwork::scores(Tape& tape, const TaggerBatchWords& batch, const Packing& packing) const {
  const bool plain = !tape.options().recording && !tape.options().training;
  RecurrentInput input{.x = {features(tape, batch.words), batch.rows}};
  if (plain && prepared_ && prepared_->backend == &tape.backend()) input.prepared = &*prepared_;
  const Variable y = recurrent_->forward(tape, input, packing).y;
  Variable x = options_.recurrent.locked_dropout ? locked_dropout(y, packing, options_.output_dropout)
                                                 : dropout(y, options_.output_dropout);
  if (hidden_) x = activate(Activation::kTanh, hidden_->forward(x));
  return linear_->forward(x);
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
