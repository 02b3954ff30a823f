// A model that reads one text as it comes, token by token, and can be asked at any moment.
//   rondo::Classifier model = rondo::Classifier::load("news.rondo");   // trained without --bidirectional
//   rondo::Session session(model);
//   session.feed_text("Shares rose ");  session.feed_text("after the talks");
//   std::span<const float> p = session.probabilities();   // in the order of model.labels()
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "rondo/classifier.h"
#include "rondo/errors.h"

namespace rondo {

/// Reads with the bits of the whole text at once, however it is cut. A step allocates nothing; layers of a
/// thousand units or so share it among the model's threads. One thread uses a session at a time. Sessions of
/// one model may run on many threads at once, share its weights, and keep the model alive.
class Session {
 public:
  /// @throws ConfigError if the model reads its texts from both ends: then it takes whole texts only.
  explicit Session(const Classifier& model);
  /// A fork: both go on from here, each its own way. Costs a copy of the state and of the step's buffers.
  Session(const Session& other);
  Session(Session&&) noexcept;
  Session& operator=(const Session& other);
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Reads tokens by their ids. What lies beyond the --max-length of the model's training is not read, as
  /// predict does not. @throws DataError if the vocabulary has no such id; then nothing is read.
  void feed(int32_t id) { feed(std::span(&id, 1)); }
  void feed(std::span<const int32_t> ids);
  /// Reads tokens; one that the vocabulary has not is the unknown word.
  void feed_tokens(std::span<const std::string> tokens);
  /// Cuts a piece of text into tokens, for itself (a word in two pieces is two words), and reads them.
  /// @throws DataError if it is not UTF-8; then nothing is read. Allocates for the tokens.
  void feed_text(std::string_view text);
  /// Reads vectors in the place of the tokens' embeddings, input_size() numbers each, one after another.
  /// @throws ShapeError if their numbers are no multiple of it.
  void feed_vectors(std::span<const float> vectors);

  /// The id of a token; of the unknown word if the vocabulary has it not.
  int32_t id_of(std::string_view token) const;

  /// Tokens read since the beginning.
  int64_t steps() const;
  int layers() const;
  /// Numbers of an embedding.
  int64_t input_size() const;
  /// The hidden state of a layer, 0 the lowest; zeros before the first token. There until the next call that
  /// reads. @throws ShapeError if there is no such layer.
  std::span<const float> h(int layer) const;
  /// The cell state, empty but for an LSTM.
  std::span<const float> c(int layer) const;
  /// The output of the top layer for the last token: its hidden state; of a grid h and m at the top of depth.
  std::span<const float> output() const;
  /// Of each label, of the text so far, as Classifier::predict would give them for it.
  /// @throws ConfigError with --pool attention, which weighs all outputs of a text against each other.
  std::span<const float> probabilities();

  /// Back to the beginning of a text.
  void reset();
  /// The state as bytes, to go on later or elsewhere with the same model and precision.
  std::string save() const;
  /// @throws FormatError, and changes nothing, if the bytes are cut, altered, or of another model.
  void restore(std::string_view bytes);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rondo
