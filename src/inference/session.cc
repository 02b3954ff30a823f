#include "rondo/session.h"

#include <algorithm>
#include <limits>

#include "base/errors.h"
#include "inference/classifier_head.h"
#include "inference/classifier_state.h"
#include "inference/session_bytes.h"
#include "layers/recurrent_stream.h"

namespace rondo {

// Of any kind of model: what reads a text is the same; `head` is a classifier's.
struct Session::Impl {
  std::shared_ptr<const void> owner;  ///< keeps alive what the pointers below mean
  const Tokenizer* tokenizer;
  const Vocabulary* vocabulary;
  int64_t most_steps;
  uint32_t fingerprint;
  RecurrentStream stream;
  ClassifierHead head;
  int64_t steps = 0;

  /// How many of `count` more steps are read.
  size_t room(size_t count) const {
    return static_cast<size_t>(std::min<int64_t>(static_cast<int64_t>(count), most_steps - steps));
  }
  void add(ConstMatrix y) {
    head.add(y, steps);
    steps += y.rows;
  }
};

Session::Session(const Classifier& model) {
  const std::shared_ptr<Classifier::State>& state = model.state_;
  const ClassifierNetwork& network = *state->model.network;
  const int64_t limit = state->model.options().max_length;
  if (network.options().recurrent.bidirectional) {
    throw_error<ConfigError>(
        "session: the model reads its texts from both ends, so it takes whole texts: Classifier::predict; "
        "for streams train without --bidirectional (--no-bidirectional)");
  }
  impl_ = std::make_unique<Impl>(
      Impl{.owner = state,
           .tokenizer = state->model.tokenizer.get(),
           .vocabulary = &state->model.vocabulary,
           .most_steps = limit > 0 ? limit : std::numeric_limits<int64_t>::max(),
           .fingerprint = state->fingerprint(),
           .stream = RecurrentStream(network.recurrent(), network.embedding().table().value, *state->backend,
                                     state->streaming()),
           .head = ClassifierHead(state->model, *state->backend)});
}

Session::Session(const Session& other) : impl_(std::make_unique<Impl>(*other.impl_)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(const Session& other) {
  if (this != &other) *this = Session(other);
  return *this;
}
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

void Session::feed(std::span<const int32_t> ids) {
  Impl& s = *impl_;
  for (const int32_t id : ids) {
    if (id < 0 || id >= s.vocabulary->size()) {
      throw_error<DataError>("session: id {} of a vocabulary of {}", id, s.vocabulary->size());
    }
  }
  ids = ids.first(s.room(ids.size()));
  while (!ids.empty()) {
    const size_t count = std::min<size_t>(ids.size(), RecurrentStream::kMostSteps);
    s.add(s.stream.read(ids.first(count)));
    ids = ids.subspan(count);
  }
}

void Session::feed_tokens(std::span<const std::string> tokens) {
  for (const std::string& token : tokens) feed(id_of(token));
}

void Session::feed_text(std::string_view text) {
  feed(impl_->vocabulary->ids(impl_->tokenizer->tokens(text)));
}

void Session::feed_vectors(std::span<const float> vectors) {
  Impl& s = *impl_;
  const int64_t D = input_size();
  if (vectors.size() % static_cast<size_t>(D) != 0) {
    throw_error<ShapeError>("session: vectors have {} numbers each, got {} in all", D, vectors.size());
  }
  auto left = static_cast<int64_t>(s.room(vectors.size() / static_cast<size_t>(D)));
  for (const float* at = vectors.data(); left > 0;) {
    const int64_t count = std::min(left, RecurrentStream::kMostSteps);
    s.add(s.stream.read(ConstMatrix(at, DType::kFloat32, count, D, D)));
    at += count * D;
    left -= count;
  }
}

int32_t Session::id_of(std::string_view token) const { return impl_->vocabulary->id(token); }
int64_t Session::steps() const { return impl_->steps; }
int Session::layers() const { return static_cast<int>(impl_->stream.stack().options().layers); }
int64_t Session::input_size() const { return impl_->stream.stack().input_size(); }
std::span<const float> Session::output() const { return impl_->stream.output(); }
std::span<const float> Session::h(int layer) const { return impl_->stream.h(layer); }
std::span<const float> Session::c(int layer) const { return impl_->stream.c(layer); }

std::span<const float> Session::probabilities() { return impl_->head.probabilities(output(), impl_->steps); }

void Session::reset() {
  impl_->stream.reset();
  impl_->head.reset();
  impl_->steps = 0;
}

std::string Session::save() const {
  SessionBytes bytes{.fingerprint = impl_->fingerprint, .steps = impl_->steps, .numbers = {}};
  for (const std::span<const float> part :
       {impl_->stream.state(), std::span<const float>(impl_->head.state())}) {
    bytes.numbers.insert(bytes.numbers.end(), part.begin(), part.end());
  }
  return write_session(bytes);
}

void Session::restore(std::string_view text) {
  const std::span<const float> state = impl_->stream.state();
  const std::span<float> pooled = impl_->head.state();
  const SessionBytes bytes = read_session(text, {.fingerprint = impl_->fingerprint,
                                                 .most_steps = impl_->most_steps,
                                                 .numbers = state.size() + pooled.size()});
  const std::span<const float> numbers(bytes.numbers);
  impl_->stream.set_state(numbers.first(state.size()));
  std::copy(numbers.begin() + static_cast<std::ptrdiff_t>(state.size()), numbers.end(), pooled.begin());
  impl_->steps = bytes.steps;
}

}  // namespace rondo
